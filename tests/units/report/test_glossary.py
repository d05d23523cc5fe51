"""Words of the glossary in texts."""

from zspace.report.glossary import explained, glossary


def test_there_are_at_most_forty_words_with_meanings_and_anchors_of_their_own():
    words = glossary()
    assert 20 <= len(words) <= 40
    assert len({word.anchor for word in words}) == len(words)
    assert len({form.lower() for word in words for form in word.forms}) == sum(len(word.forms) for word in words)


def test_the_first_mention_links_and_the_second_does_not():
    html = str(explained("Clouds beside the null band; a null band again"))
    assert html.count('href="#word-null-band"') == 1
    assert html.endswith("; a null band again")


def test_words_are_found_whole_and_the_longest_first():
    assert "href" not in str(explained("encoders decode gapless"))
    assert ">null twin</a>" in str(explained("its null twin"))
    assert ">principal components</a>" in str(explained("principal components"))


def test_all_else_is_only_text():
    html = str(explained("<script>alert('a decoder')</script> & \"z-points\""))
    assert "<script>" not in html
    assert html.startswith("&lt;script&gt;alert(&#39;a <a ")
    assert "&amp; &#34;<a " in html
