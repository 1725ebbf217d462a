"""The forms of a stack's convolution: the same numbers to every order, and how many kernels."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ablate.core.convolution import FORMS, Kernel, convolve

B, I, O = 3, 2, 4  # noqa: E741
CASES = {  # kernel size, stride, padding, rows added (None: not transposed)
    "halving": (4, 2, 1, None),
    "to one": (8, 1, 0, None),
    "same": (3, 1, 1, None),
    "odd": (3, 2, 1, None),
    "doubling": (4, 2, 1, 0),
    "from one": (5, 1, 0, 0),
    "odd doubling": (5, 2, 2, 1),
}


class Counted(TorchDispatchMode):
    """Counts the operators that compute, those that only look at a tensor aside."""

    def __init__(self):
        super().__init__()
        self.n = 0

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        made = operator(*args, **(kwargs or {}))
        self.n += not operator.is_view
        return made


def given(case, k, bias=True):
    size, stride, padding, more = CASES[case]
    torch.manual_seed(0)
    first, second = (O, I) if more is None else (I, O)
    weight = torch.randn(k * first, second, size, size, requires_grad=True)
    biases = torch.randn(k * O, requires_grad=True) if bias else None
    x = torch.randn(k, B, I, 8, 8, requires_grad=True)
    return x, Kernel(weight, biases, stride, padding, more)


def derived(x, kernel, form):
    """Return the output, its first gradients, and those of a penalty on the first."""
    y = convolve(x, kernel, form)
    leaves = [leaf for leaf in (x, kernel.weight, kernel.bias) if leaf is not None]
    first = torch.autograd.grad(y.square().sum(), leaves, create_graph=True)
    second = torch.autograd.grad(first[0].square().sum(), leaves[:2])
    return [y, *first, *second]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", [form for form in FORMS if form != "grouped"])
@pytest.mark.usefixtures("double")
def test_every_form_gives_the_same_output_and_gradients(form, case, bias):
    x, kernel = given(case, 3, bias)
    for mine, theirs in zip(derived(x, kernel, form), derived(x, kernel, "grouped"), strict=True):
        assert mine.shape == theirs.shape
        torch.testing.assert_close(mine, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("double")
def test_a_trial_alone_is_the_ordinary_convolution_bit_for_bit(case):
    x, kernel = given(case, 1)
    alone = convolve(x.squeeze(0), kernel)
    for form in FORMS:
        assert torch.equal(convolve(x, kernel, form).squeeze(0), alone)


def kernels(form, case, k):
    x, kernel = given(case, k)
    with Counted() as counted:
        derived(x, kernel, form)
    return counted.n


@pytest.mark.parametrize("case", CASES)
def test_products_of_patches_take_as_many_kernels_for_any_number_of_trials(case):
    assert kernels("matmul", case, 2) == kernels("matmul", case, 16)


def test_a_grouped_second_gradient_takes_more_kernels_the_more_trials():
    assert kernels("grouped", "halving", 16) > kernels("grouped", "halving", 2) + 10
