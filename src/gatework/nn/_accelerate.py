"""From torch.nn's recurrent layers to gatework's and back, with the very same parameters."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TypeVar, cast

from torch import nn

from gatework.errors import KindError, UsageError
from gatework.nn._layer import RecurrentLayer
from gatework.nn._options import ScanOptions
from gatework.nn._subclasses import Inherited, disinherit, inherit, why_not_inherited
from gatework.nn.gru import GRU
from gatework.nn.lstm import LSTM
from gatework.nn.rnn import RNN

Model = TypeVar("Model", bound=nn.Module)
_KINDS = (nn.RNN, nn.GRU, nn.LSTM)


def accelerate(model: Model, *, verbose: bool = True) -> Model:
    """Replace every torch.nn.RNN, GRU and LSTM inside a model by gatework's, in place.

    The parameters stay the same objects: an optimiser made before goes on working, and so do names and checkpoints.
    Hooks and the training mode are kept. A layer of a subclass stays the same object with all its methods; what they
    call of torch's forward by `super()` is gatework's. Layers whose parameters were changed (as weight normalisation
    does), and of subclasses that change what torch's forward asks its layer for, are left as they are.

    Args:
        model: Any module. If it is itself such a layer it has no parent to be replaced in: use the returned one.
        verbose: Whether to say on standard error what was replaced and what was left, one line each.

    Returns:
        The model, or the new layer if the model was itself a recurrent layer.

    Raises:
        UsageError: `model` is not a module.
    """
    if not isinstance(model, nn.Module):
        raise KindError(f"accelerate: expected a torch.nn.Module, got {type(model).__name__}")
    made: dict[nn.Module, RecurrentLayer] = {}
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.RNNBase)]
    for name, module in layers:
        if type(module) not in _KINDS:
            said = _inherited(module)
        elif (reason := _why_not(module)) is not None:
            said = reason
        else:
            made[module], said = from_torch(module), f"replaced {module!r}"
        if verbose:
            print(f"gatework: {name or 'model'}: {said}", file=sys.stderr)
    if verbose and not layers:
        print("gatework: the model has no torch.nn.RNN, GRU or LSTM; nothing was replaced", file=sys.stderr)
    replace_modules(model, made)
    return cast(Model, made.get(model, model))


def _inherited(layer: nn.RNNBase) -> str:
    """Lets a layer of a subclass inherit gatework's forward where it can, and says so."""
    reason = why_not_inherited(layer) or _why_not_its_parameters(layer)
    if reason is not None:
        return reason
    inherit(layer, _empty_copy(layer))
    return f"{layer!r} keeps its methods and inherits gatework's forward"


def from_torch(layer: nn.RNNBase) -> RecurrentLayer:
    """A gatework layer in place of one of torch.nn's, sharing its parameters, hooks and training mode.

    Args:
        layer: A torch.nn.RNN, GRU or LSTM.

    Raises:
        UsageError: The layer is a subclass, or does not have the parameters that its class creates.
    """
    reason = _why_not(layer)
    if reason is not None:
        raise UsageError(f"from_torch: {reason}")
    made = _empty_copy(layer)
    made.dropout = layer.dropout
    for name, parameter in layer._parameters.items():
        made._parameters[name] = parameter
    _share_hooks(layer, made)
    return made.train(layer.training)


def taken_over(layer: nn.RNNBase) -> RecurrentLayer:
    """A gatework layer with the values of one of torch.nn's; also where parametrisations compute its weights."""
    made = _empty_copy(layer)
    for name in made._parameters:
        made._parameters[name] = nn.Parameter(getattr(layer, name).detach())
    return made


def to_torch(model: nn.Module) -> nn.Module:
    """The way back: replace every gatework RNN, GRU and LSTM inside a model by torch.nn's, in place.

    A layer of a subclass that inherits gatework's forward inherits torch's again.

    For tools that know torch's own layers alone, as quantisation and exporters do. Parameters, their names, hooks and
    the training mode are kept.

    Args:
        model: Any module. If it is itself such a layer it has no parent to be replaced in: use the returned one.

    Returns:
        The model, or the new layer if the model was itself a recurrent layer.

    Raises:
        UsageError: A layer has a cell or options that torch.nn does not have.
    """
    if not isinstance(model, nn.Module):
        raise KindError(f"to_torch: expected a torch.nn.Module, got {type(model).__name__}")
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, RecurrentLayer)]
    for name, layer in layers:
        if type(layer) not in (RNN, GRU, LSTM) or layer.options != ScanOptions():
            raise UsageError(f"to_torch: torch.nn has no layer for {name or 'the model'}, {layer!r}")
    for module in model.modules():
        if isinstance(module, Inherited):
            disinherit(module)
    made: dict[nn.Module, nn.Module] = {layer: _torch_copy(layer) for _, layer in layers}
    replace_modules(model, made)
    return made.get(model, model)


def _torch_copy(layer: RecurrentLayer) -> nn.Module:
    """torch's layer with the parameters of one of gatework's."""
    sizes = (layer.input_size, layer.hidden_size, layer.num_layers)
    options = {name: getattr(layer, name) for name in ("bias", "batch_first", "bidirectional")}
    kinds = {RNN: nn.RNN, GRU: nn.GRU, LSTM: nn.LSTM}
    if isinstance(layer, RNN):
        options["nonlinearity"] = layer.nonlinearity
    if layer.proj_size:
        options["proj_size"] = layer.proj_size
    made = kinds[type(layer)](*sizes, **options, device="meta")
    made.dropout = layer.dropout
    for name, parameter in layer._parameters.items():
        setattr(made, name, parameter)
    _share_hooks(layer, made)
    return made.train(layer.training)


def _share_hooks(old: nn.Module, new: nn.Module) -> None:
    for attribute in vars(new):
        if "_hooks" in attribute:  # the very dictionaries, so that the handles given out can still remove their hooks
            vars(new)[attribute] = vars(old)[attribute]


def replace_modules(model: nn.Module, made: Mapping[nn.Module, nn.Module]) -> None:
    """Puts other layers into a model in place of its own."""
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child is not None and child in made:
                parent._modules[name] = made[child]


def _why_not(layer: nn.RNNBase) -> str | None:
    """What keeps a layer from being replaced, or None."""
    if type(layer) not in _KINDS:
        return f"kept {type(layer).__name__}, which is not torch.nn.RNN, GRU or LSTM itself"
    return _why_not_its_parameters(layer)


def _why_not_its_parameters(layer: nn.RNNBase) -> str | None:
    if list(layer._parameters) != list(_empty_copy(layer)._parameters):
        return f"kept {type(layer).__name__}, whose parameters are not the ones that its class creates"
    return None


def _empty_copy(layer: nn.RNNBase) -> RecurrentLayer:
    """A layer with the options of torch's and parameters without memory; dropout is set later, as it may warn."""
    options = {name: getattr(layer, name) for name in ("bias", "batch_first", "bidirectional")}
    sizes = (layer.input_size, layer.hidden_size, layer.num_layers)
    if isinstance(layer, nn.LSTM):
        return LSTM(*sizes, **options, proj_size=layer.proj_size, device="meta")
    if isinstance(layer, nn.RNN):
        return RNN(*sizes, **options, nonlinearity=str(layer.nonlinearity), device="meta")
    return GRU(*sizes, **options, device="meta")
