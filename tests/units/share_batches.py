"""Run by ``test_processes.py`` in each of two processes: what is computed from shares must be that of the whole."""

import torch
from torch import nn

from zspace.networks.layers import BatchNorm
from zspace.processes import (
    average_gradients,
    is_first,
    mean_over_processes,
    own_share,
    process_count,
    together,
    wait_for_all,
)


def check_shares():
    assert process_count() == 2
    assert own_share(7) == (slice(0, 3) if is_first() else slice(3, 7))
    assert own_share(1) == (slice(0, 0) if is_first() else slice(0, 1))


def check_batch_norm(n_images):
    generator = torch.Generator().manual_seed(1)
    images = 3 + torch.randn(n_images, 4, 5, 5, generator=generator, dtype=torch.float64).float()
    weights = torch.randn(images.shape, generator=generator)
    whole, shared = nn.BatchNorm2d(4, 1e-3, 0.01), BatchNorm(4, 1e-3, 0.01)
    expected_input = images.clone().requires_grad_()
    expected = whole(expected_input)
    (expected * weights).mean(dim=0).sum().backward()
    share = own_share(n_images)
    own = images[share].clone().requires_grad_()
    normalised = shared(own)
    torch.testing.assert_close(normalised, expected[share])
    per_image = normalised * weights[share]
    mean_over_processes(per_image.mean(dim=0), per_image).sum().backward()
    average_gradients(shared.parameters())
    torch.testing.assert_close(shared.weight.grad, whole.weight.grad)
    torch.testing.assert_close(shared.bias.grad, whole.bias.grad)
    torch.testing.assert_close(own.grad / process_count(), expected_input.grad[share], rtol=1e-4, atol=1e-6)
    for name, buffer in whole.named_buffers():
        torch.testing.assert_close(shared.get_buffer(name), buffer)
    shared.eval()
    torch.testing.assert_close(shared(images), whole.eval()(images))


def check_a_parameter_that_one_share_does_not_reach():
    parameter = nn.Parameter(torch.ones(2))
    if not is_first():
        (parameter * 3).sum().backward()
    average_gradients([parameter])
    assert parameter.grad.tolist() == [1.5, 1.5]


if __name__ == "__main__":
    with together():
        check_shares()
        for n_images in (8, 7, 1):
            check_batch_norm(n_images)
        check_a_parameter_that_one_share_does_not_reach()
        wait_for_all()
    assert process_count() == 1
