"""The conventional backend: dense networks trained in NumPy, with credit assignment as a choice."""

from neuromorph.backends.backprop.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from neuromorph.backends.backprop.backend import BackpropBackend, dense_network
from neuromorph.backends.backprop.counts import OperationCounts, count_operations
from neuromorph.backends.backprop.credit import Backprop, CreditAssignment, CreditCost, GradientSource
from neuromorph.backends.backprop.curve import Epoch
from neuromorph.backends.backprop.early_stopping import EarlyStopping, split_samples
from neuromorph.backends.backprop.initialisation import Glorot, He, Initialisation
from neuromorph.backends.backprop.losses import Loss, MeanSquaredError, SoftmaxCrossEntropy
from neuromorph.backends.backprop.network import Dense, DenseNetwork, predict
from neuromorph.backends.backprop.optimisers import SGD, Adam, Optimiser, OptimiserState, UpdateCost
from neuromorph.backends.backprop.parameters import Parameters
from neuromorph.backends.backprop.trainer import Trainer, Training

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "Backprop",
    "BackpropBackend",
    "CreditAssignment",
    "CreditCost",
    "Dense",
    "DenseNetwork",
    "EarlyStopping",
    "Epoch",
    "Glorot",
    "GradientSource",
    "He",
    "Identity",
    "Initialisation",
    "Loss",
    "MeanSquaredError",
    "OperationCounts",
    "Optimiser",
    "OptimiserState",
    "Parameters",
    "ReLU",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Tanh",
    "Trainer",
    "Training",
    "UpdateCost",
    "count_operations",
    "dense_network",
    "predict",
    "split_samples",
]
