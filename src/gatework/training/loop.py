"""The training loop."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from gatework._files import finite, write_text
from gatework.data.dataset import Dataset
from gatework.errors import TrainingError
from gatework.nn.precision import train_in_bfloat16
from gatework.options import TrainingOptions
from gatework.recipe import Recipe
from gatework.tasks import Loss, Task
from gatework.training import checkpoint, runtime
from gatework.training.average import Average
from gatework.training.checkpoint import TrainingState
from gatework.training.optimizer import Adam
from gatework.training.progress import Progress, stop_on_signal
from gatework.training.ranks import Alone, LostError
from gatework.training.rows import learn_by_rows
from gatework.training.shards import Figures, ShardedGradient

# What follows a step.
_ON, _SAVE, _STOP = 0.0, 1.0, 2.0


class Trainer:
    """One training run under way.

    Args:
        folder: The run folder; `checkpoint/` and `metrics.jsonl` are written into it.
        recipe: The recipe.
        task: The task, fitted.
        dataset: The data.
        label: The run's name in what is told.
        progress: Who is told.
        ranks: The processes that train together.
        earlier: What the network begins from, as `Task.begin()` takes it.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        task: Task,
        dataset: Dataset,
        label: str,
        progress: Progress,
        ranks: Alone,
        earlier: Mapping[str, Tensor] = MappingProxyType({}),
    ) -> None:
        self.folder, self.recipe, self.config, self.task = folder, recipe, recipe.training, task.taught(dataset, recipe)
        self.dataset = dataset
        self.train, self.validation = task.encode(dataset.train), task.encode(dataset.validation)
        self.lessons = self.train
        self.label, self.progress, self.ranks = label, progress if ranks.is_main else Progress(), ranks
        torch.manual_seed(self.config.seed)
        self.model = task.model(recipe.model)
        if self.config.precision == "bfloat16":
            train_in_bfloat16(self.model)
        self.device = runtime.device(self.config, ranks.count)
        # A network on a GPU has a twin on the processor, which is judged in its place.
        self.twin = self.model if self.device.type == "cpu" else copy.deepcopy(self.model)
        self.model.to(self.device)
        self.pace = task.pace(self.model, recipe)
        networks = task.networks(self.model)
        self.networks = max(len(networks), 1)
        groups = self.pace.groups if self.pace else networks
        tables = learn_by_rows(self.model) if self.device.type == "cpu" else []
        numbers = self.config.weight_decay, self.config.epsilon
        self.optimizer = Adam(self.model.parameters(), *numbers, groups, tables, clips_apart=len(networks) > 0)
        self.steps = len(task.order(self.train, self.config, 1))
        self.state, self.best = TrainingState(), dict[str, Tensor]()
        self.carried: dict[int, tuple[Tensor, ...]] = {}
        # Seconds of the minutes that are not the epochs'; None until they are known.
        self.besides: float | None = None
        shards = ranks.shards(self.config.shards)
        self.meets_every = self.config.average_every if ranks.count > 1 else 0
        self.sharded = (
            ShardedGradient(shards, self.config.seed, self.optimizer, ranks, is_local=self.meets_every > 0)
            if shards
            else None
        )
        self.file = folder / "checkpoint" / "state.safetensors"
        averaged = self._begin_or_resume(earlier)
        self.average = Average(self.model, self.config.averaging, averaged) if self.config.averaging else None

    def _begin_or_resume(self, earlier: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Goes on from the checkpoint, or from the weights that an earlier training left; returns averaged weights."""
        if not self.file.exists():
            self.task.begin(self.model, self.dataset, earlier)
            return {}
        self.state, self.best, carried, averaged = checkpoint.load(self.file, self.model, self.optimizer)
        self.carried = {n: tuple(t.to(self.device) for t in part) for n, part in carried.items()}
        return {name: tensor.to(self.device) for name, tensor in averaged.items()}

    def run(self) -> nn.Module:
        """Trains to the end and returns the network with the weights that count.

        Raises:
            TrainingError: The loss is no longer a number; the last checkpoint is from before.
            KeyboardInterrupt: The process was told to stop; a checkpoint was written.
        """
        done = (self.state.epoch - 1) * self.steps + self.state.step
        if self.config.minutes:
            self.progress.limited(self.label, 60 * self.config.minutes, self.state.seconds)
        self.progress.started(self.label, self.config.epochs, self.steps, done)
        self._write_metrics()
        with stop_on_signal() as stop, runtime.keeping_memory():
            while not self.state.is_finished:
                self._epoch(lambda: stop.asked)
        self.progress.finished(self.label)
        if self.best:
            self.model.load_state_dict(self.best)
        elif self.average:
            self.average.exchange()
        self.optimizer.release()
        learn_by_rows(self.model, is_on=False)
        return self.model.cpu().eval()

    def _epoch(self, is_stopping: Callable[[], bool]) -> None:
        at, config = self.state, self.config
        batches, began = self.task.order(self.train, config, at.epoch), time.perf_counter()
        share = self._share((at.epoch - 1) * self.steps + at.step)
        self.lessons = self.task.lessons(self.model, self.train, config, at.epoch, share, is_fresh=at.step == 0)
        self.model.train()
        saved = time.perf_counter()
        at.seconds += saved - began
        times: list[float] = []
        for index in batches[at.step :]:
            started, wish = time.perf_counter(), self._wish(is_stopping, saved)
            try:
                wish = self._step(index, wish)
            except LostError:
                if not self.carried and not self.meets_every:
                    self._save()  # no weight has moved in this step
                if is_stopping():
                    raise KeyboardInterrupt from None
                raise
            times.append(time.perf_counter() - started)
            at.epoch_seconds += times[-1]
            at.seconds += times[-1]
            wish = wish if self.ranks.count > 1 else self._wish(is_stopping, saved)
            if wish == _STOP:
                self._save()
                raise KeyboardInterrupt
            if self._has_met and self._is_over():
                break
            if wish == _SAVE:
                self._save()
                saved = time.perf_counter()
        self._finish_epoch(1000 * median(times) if times else 0.0)

    def _wish(self, is_stopping: Callable[[], bool], saved: float) -> float:
        """What shall follow a step; of several processes all do as the first one wishes."""
        if not self.ranks.is_main:
            return _ON
        is_due = time.perf_counter() - saved > self.config.checkpoint_seconds
        return _STOP if is_stopping() else _SAVE if is_due else _ON

    def _step(self, index: np.ndarray, wish: float) -> float:
        at, config = self.state, self.config
        total = (at.epoch - 1) * self.steps + at.step
        rate = self._learning_rate(total)
        if self.pace:
            self.optimizer.pace(self.pace.factors(self._share(total)))
        self.optimizer.forget_gradients()
        loss_sum, weight, sums, wish = self._backward(index, total, wish)
        norm = self.optimizer.clip(config.clip)
        loss_sum /= self.networks
        value = loss_sum / (weight or 1.0)
        if not (math.isfinite(value) and math.isfinite(norm)):
            raise TrainingError(self._diverged(value))
        self.optimizer.step(rate)
        if self.average:
            self.optimizer.catch_up()
            self.average.add(total)
        at.step += 1
        at.loss_sum += loss_sum
        at.loss_weight += weight
        for name, followed in sums.items():
            at.sums[name] = at.sums.get(name, 0.0) + followed
        at.norm_sum += norm
        self.progress.stepped(self.label, total + 1, value)
        return self._met(wish) if self.meets_every else wish

    @property
    def _has_met(self) -> bool:
        """Whether all processes have the same weights after the step that was taken."""
        at = self.state.step
        return not self.meets_every or at % self.meets_every == 0 or at == self.steps

    def _met(self, wish: float) -> float:
        """Averages the weights of all processes where that is due; what then follows, as the first one wishes."""
        if not self._has_met:
            return _ON
        self.ranks.average(self.optimizer.moving())
        return self.ranks.agreed(wish)

    def _backward(self, index: np.ndarray, step: int, wish: float) -> Figures:
        """Computes the gradient of the mean loss of a batch."""
        carried: dict[int, tuple[Tensor, ...]] = {}

        def loss_of(shard: int, part: np.ndarray) -> Loss:
            batch = self.lessons.batch(part)
            batch = batch if self.device.type == "cpu" else batch.to(self.device)
            loss = self.task.loss(self.model, batch.following(self.carried[shard]) if self.carried else batch)
            if loss.carried:
                carried[shard] = loss.carried
            return loss

        if self.sharded is not None:
            figures = self.sharded(index, step, wish, loss_of)
        else:
            loss = loss_of(0, index)
            # Its scale given as a gradient would have torch import its symbolic shapes, which takes most of a second.
            torch.autograd.backward(loss.total / (loss.weight or 1.0))
            figures = Figures(float(loss.total.detach()), loss.weight, loss.sums, wish)
        self.carried = carried
        return figures

    def _learning_rate(self, step: int) -> float:
        """The learning rate of a step; where training has so many minutes, by those that are spent."""
        steps = self.steps * self.config.epochs
        return learning_rate(self.config, self._share(step) * steps if self.config.minutes else step, steps)

    def _share(self, step: int) -> float:
        """The share of the training that is done before a step, by whichever ends it first: its epochs or minutes."""
        share = step / (self.steps * self.config.epochs)
        if not self.config.minutes:
            return share
        limit = self._limit()
        return min(max(self._spent() / limit, share), 1.0) if limit > 0 else 1.0

    def _spent(self) -> float:
        """Seconds so far, evaluations among them, by the clock of the first process, or by each one's own."""
        return self.state.seconds if self.meets_every else self.ranks.agreed(self.state.seconds)

    def _limit(self) -> float:
        """The seconds after which the epochs end, where training has so many minutes."""
        return 60 * self.config.minutes - (self.besides or 0.0)

    def _is_over(self) -> bool:
        return bool(self.config.minutes) and self.ranks.agreed(self.state.seconds) >= self._limit()

    def _look_ahead(self) -> None:
        """Finds out what is needed besides the epochs, once half of the minutes are spent."""
        minutes = self.config.minutes
        if minutes and self.besides is None and self.ranks.agreed(self.state.seconds) >= 30 * minutes:
            self.besides = self.ranks.agreed(self.task.seconds_besides(self._judged(), self.dataset))

    def _finish_epoch(self, ms_per_step: float) -> None:
        at, task, config = self.state, self.task, self.config
        rate = self._learning_rate((at.epoch - 1) * self.steps + max(at.step, 1) - 1)
        started = time.perf_counter()
        self.optimizer.catch_up()
        if self.average:
            self.average.exchange()
        network = self._judged()
        evaluation = task.evaluate(network, self.validation)
        metrics, specimen = evaluation.metrics, task.specimen(network)
        self._look_ahead()
        at.seconds += time.perf_counter() - started
        at.history.append(
            {
                "epoch": at.epoch,
                "train_loss": at.loss_sum / (at.loss_weight or 1.0),
                **{f"train_{name}": value / (at.loss_weight or 1.0) for name, value in at.sums.items()},
                "validation_loss": evaluation.loss,
                **{f"validation_{name}": value for name, value in metrics.items()},
                "learning_rate": rate,
                "gradient_norm": at.norm_sum / max(at.step, 1),
                "seconds": at.epoch_seconds,
                "ms_per_step": ms_per_step,
                **specimen,
            }
        )
        if self._is_best(metrics[task.deciding], evaluation.loss):
            at.best, at.best_epoch = metrics[task.deciding], at.epoch
            if config.best_weights:
                self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        if self.average:
            self.average.exchange()
        is_stale = config.patience > 0 and at.epoch - at.best_epoch >= config.patience
        at.is_finished = at.epoch >= config.epochs or is_stale or self._is_over()
        at.epoch, at.step, self.carried = at.epoch + 1, 0, {}
        at.loss_sum, at.loss_weight, at.norm_sum, at.epoch_seconds, at.sums = 0.0, 0.0, 0.0, 0.0, {}
        started = time.perf_counter()
        self._save()
        self._write_metrics()
        at.seconds += time.perf_counter() - started
        self.progress.epoch_done(self.label, at.history[-1])

    def _judged(self) -> nn.Module:
        """The network on the processor, with the weights of now."""
        if self.twin is not self.model:
            self.twin.load_state_dict(self.model.state_dict())
            self.twin.train(self.model.training)
        return self.twin

    def _is_best(self, score: float, loss: float) -> bool:
        """Whether an epoch is the best so far; of equal scores, as few examples often have, the lower loss decides.

        The answers of a classifier that are as right but less timid have it. A score that is no number is worse than
        any number, and equal to another such.
        """
        at = self.state
        if at.best_epoch == 0:
            return True

        def rank(score: float, loss: float) -> tuple[bool, float, float]:
            if math.isnan(score):
                return True, 0.0, loss
            return False, score if self.task.lower_is_better else -score, loss

        return rank(score, loss) < rank(at.best, at.history[at.best_epoch - 1]["validation_loss"])

    def _save(self) -> None:
        carried = self.ranks.gathered(self.carried) if self.carried else {}
        if self.ranks.is_main:
            self.file.parent.mkdir(exist_ok=True)
            averaged = self.average.tensors if self.average else {}
            checkpoint.save(self.file, self.state, self.model, self.optimizer, self.best, carried, averaged)

    def _write_metrics(self) -> None:
        if self.ranks.is_main:
            lines = [json.dumps(finite(record)) + "\n" for record in self.state.history]
            write_text(self.folder / "metrics.jsonl", "".join(lines))

    def _diverged(self, loss: float) -> str:
        at, config = self.state, self.config
        kept = f"the state before it is kept in {self.file}" if self.file.exists() else "nothing was learnt yet"
        what = "the loss is no longer a number" if not math.isfinite(loss) else "the gradient is no longer finite"
        lower = config.learning_rate / 10
        clip = "" if config.clip else " and --clip 1"
        return (
            f"{self.label}: {what} at step {at.step + 1} of epoch {at.epoch}; {kept}; "
            f"try a lower learning rate (--learning-rate {lower:g}{clip})"
        )


def learning_rate(config: TrainingOptions, step: float, steps: float) -> float:
    """The learning rate of a step, counted from 0 over the whole training; or of a second of so many."""
    warm = config.warmup * steps
    if step < warm:
        return config.learning_rate * (step + 1) / (warm + 1)
    left = 1 - (step - warm) / max(steps - warm, 1)
    factor = {"constant": 1.0, "linear": left, "cosine": 0.5 - 0.5 * math.cos(math.pi * left)}[config.schedule]
    return config.learning_rate * factor
