"""A study of a VAE: mu and logvar are kept, and the report accounts for the KL term."""

import zarr


def test_a_vae_keeps_its_posterior_and_its_report_accounts_for_the_divergence(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    outcome = zspace("study", study_file, "--out", out, "--set", 'models.ae.kind="vae"', "--json")
    assert outcome.code == 0, outcome.stderr
    latents = zarr.open_group(out / "runs" / "ae" / "latents.zarr", mode="r")
    assert {name: latents[name].shape for name in ("z", "mu", "logvar")} == dict.fromkeys(
        ("z", "mu", "logvar"), (160, 5)
    )
    assert latents["z"][:].tolist() != latents["mu"][:].tolist()
    account = outcome.document["results"]["models"]["ae"]["training"]["training_account"]
    assert account["equivalent_beta"] == 3 * account["kl_weight"] == 15.0
    html = (out / "report.html").read_text()
    assert "KL share" in html
    assert "Equivalent beta" in html
