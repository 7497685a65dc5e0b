"""Options say everything that is wrong with them at once, and what would be right."""

import math

import pytest

from neuromorph.backends.backprop import SGD, Adam, Dense, DenseNetwork, EarlyStopping, Trainer
from neuromorph.errors import DescriptionError

NETWORK = DenseNetwork.of_sizes((2, 2))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SGD(learning_rate=0), r"SGD.learning_rate must be in \(0.0, inf\), got 0; try 0.001 to 0.1"),
        (lambda: SGD(learning_rate=math.nan), r"SGD.learning_rate .* got nan"),
        (lambda: SGD(learning_rate=True), r"SGD.learning_rate .* got True"),
        (lambda: SGD(momentum=1.0), r"SGD.momentum must be in \[0.0, 1.0\), got 1.0"),
        (lambda: SGD(learning_rate=0.5, weight_decay=2.0), "learning_rate \\* weight_decay must be < 1"),
        (lambda: Adam(learning_rate="fast"), r"Adam.learning_rate .* got 'fast'"),
        (lambda: Adam(beta_1=-0.1), r"Adam.beta_1 must be in \[0.0, 1.0\)"),
        (lambda: Adam(beta_2=1.5), r"Adam.beta_2 must be in \[0.0, 1.0\)"),
        (lambda: Adam(epsilon=0.0), r"Adam.epsilon must be in \(0.0, inf\)"),
        (lambda: Adam(weight_decay=-1.0), r"Adam.weight_decay must be in \[0.0, inf\)"),
        (
            lambda: EarlyStopping(validation_fraction=1.0),
            r"EarlyStopping.validation_fraction must be in \(0.0, 1.0\)",
        ),
        (lambda: EarlyStopping(patience=0), "EarlyStopping.patience must be a whole number >= 1, got 0"),
        (lambda: EarlyStopping(min_improvement=-1), r"EarlyStopping.min_improvement must be in \[0.0, inf\)"),
        (lambda: EarlyStopping(monitor="f1"), "EarlyStopping.monitor must be one of 'loss', 'accuracy'"),
        (lambda: Dense(units=0), "Dense.units must be a whole number >= 1, got 0"),
        (lambda: Dense(units=2.5), "Dense.units must be a whole number >= 1, got 2.5"),
        (lambda: Dense(units=2, activation="relu"), r"Dense.activation .* got 'relu'; known: .* ReLU\(\)"),
        (lambda: Dense(units=2, initialisation="he"), r"Dense.initialisation .* known: He\(\)"),
        (
            lambda: DenseNetwork(inputs=2, layers=()),
            "DenseNetwork.layers must be a tuple of one Dense or more",
        ),
        (
            lambda: DenseNetwork(inputs=2, layers=(3,)),
            r"DenseNetwork.layers\[0\] must be of type Dense, got 3",
        ),
        (lambda: DenseNetwork.of_sizes((3,)), "needs an input and an output size"),
        (lambda: Trainer(network=(2, 2)), "Trainer.network must be of type DenseNetwork"),
        (lambda: Trainer(network=NETWORK, loss="mse"), r"Trainer.loss .* MeanSquaredError\(\)"),
        (lambda: Trainer(network=NETWORK, optimiser=Adam), "Trainer.optimiser must be of type Optimiser"),
        (lambda: Trainer(network=NETWORK, credit=None), "Trainer.credit must be of type CreditAssignment"),
        (lambda: Trainer(network=NETWORK, early_stopping=5), "Trainer.early_stopping must be of type"),
        (
            lambda: Trainer(network=NETWORK, precision="float16"),
            "Trainer.precision must be one of 'float32', 'float64', got 'float16'",
        ),
    ],
)
def test_wrong_option_is_named_with_its_remedy(build, message):
    with pytest.raises(DescriptionError, match=message):
        build()


def test_all_faults_are_said_at_once():
    with pytest.raises(DescriptionError) as caught:
        Trainer(network=NETWORK, epochs=0, batch_size=-1)
    assert str(caught.value) == (
        "2 faults:\n"
        "  1. Trainer.epochs must be a whole number >= 1, got 0; give a number of passes, such as 100\n"
        "  2. Trainer.batch_size must be a whole number >= 1, got -1; give a number of samples, such as 32"
    )


def test_options_are_frozen_and_compare_by_value():
    assert Trainer(network=NETWORK) == Trainer(network=DenseNetwork.of_sizes((2, 2)))
    with pytest.raises(AttributeError):
        Trainer(network=NETWORK).epochs = 3
