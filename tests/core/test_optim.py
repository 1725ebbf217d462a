"""Every optimiser is torch.optim's, and [K] of it in a stack."""

import pytest
import torch

from ablate.core.optim import SGD, Adam, RMSprop

CASES = {
    "adam": (Adam, torch.optim.Adam, {"lr": 1e-2, "beta1": 0.5, "beta2": 0.9}),
    "sgd": (SGD, torch.optim.SGD, {"lr": 1e-2, "momentum": 0.9}),
    "rmsprop": (RMSprop, torch.optim.RMSprop, {"lr": 1e-2, "alpha": 0.9}),
}


def gradients(n, k=1):
    made = torch.Generator().manual_seed(0)
    return [torch.randn(k, 64, generator=made) for _ in range(n)]


def torch_numbers(numbers):
    betas = {k: v for k, v in numbers.items() if k.startswith("beta")}
    rest = {k: v for k, v in numbers.items() if k not in betas}
    return rest | ({"betas": tuple(betas.values())} if betas else {})


@pytest.mark.parametrize("case", CASES)
def test_moves_like_torch(case):
    ours, theirs, numbers = CASES[case]
    theta, parameter = torch.ones(1, 64), torch.ones(64, requires_grad=True)
    a, b = ours(theta, **numbers), theirs([parameter], **torch_numbers(numbers))
    for g in gradients(20):
        a.move(theta, g)
        parameter.grad = g[0].clone()
        b.step()
    torch.testing.assert_close(theta[0], parameter.detach(), rtol=2e-6, atol=1e-7)
    assert case != "adam" or torch.equal(theta[0], parameter.detach())


@pytest.mark.parametrize("case", CASES)
def test_edited_numbers_are_the_numbers(case):
    """What `edit` sets is what the constructor sets, one value a trial."""
    ours, _, numbers = CASES[case]
    edited, fresh = torch.ones(2, 64), [torch.ones(1, 64), torch.ones(1, 64)]
    halves = {k: [v, v / 2] for k, v in numbers.items()}
    a = ours(edited, lr=1.0).edit(**halves)
    bs = [ours(fresh[i], **{k: v[i] for k, v in halves.items()}) for i in (0, 1)]
    for g in gradients(5, k=2):
        a.move(edited, g)
        for i, b in enumerate(bs):
            b.move(fresh[i], g[i : i + 1])
    assert torch.equal(edited, torch.cat(fresh))


@pytest.mark.parametrize("case", CASES)
def test_a_gated_move_leaves_a_trial_as_it_was(case):
    ours, _, numbers = CASES[case]
    theta = torch.ones(2, 64)
    a = ours(theta, **numbers)
    before = {k: v.clone() for k, v in a.state_dict().items()}
    a.move_where(torch.tensor([True, False]), theta, gradients(1, k=2)[0])
    assert torch.equal(theta[1], torch.ones(64))
    assert not torch.equal(theta[0], torch.ones(64))
    assert all(torch.equal(before[name][1], getattr(a, name)[1]) for name in a.memory)
