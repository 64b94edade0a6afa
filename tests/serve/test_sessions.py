"""Rows of one sequence that come while others of it wait, are computed, or are refused."""

import asyncio

import pytest
from starlette.requests import HTTPConnection

from gatework.errors import DataError
from gatework.serve import Limits
from gatework.serve._application import service_of
from gatework.serve._refusal import Refusal
from gatework.serve._rows import Pace, answer_rows
from support.apart import apart

ANYBODY = HTTPConnection({"type": "http"})
SHORT, LONG, LAST = {"text": "good"}, {"text": "never a bad plot " * 40}, {"text": "film"}
WRONG = {"other": "a film " * 100, "another": "bad"}


class Asked:
    """A service whose rows are short work, so that short ones need not wait; its worker computes when it is started.

    Args:
        runs: The runs of the tests.
        limits: The limits of the service.
    """

    def __init__(self, runs, **limits):
        self.service = service_of({"texts": runs["texts"]}, Limits(**limits))
        self.model = self.service.models["texts"]
        self.model.pace.seconds = 1e-6

    async def ask(self, row, **how):
        """A request about the next row of the one session, which by now is answered, or waits for the worker."""
        request = asyncio.ensure_future(self.service.go_on(ANYBODY, self.model, "me", [row], **how))
        await asyncio.sleep(0)
        return request

    def answers(self, scenario):
        """What a scenario of requests gives."""
        try:
            return apart(lambda: asyncio.run(scenario()))
        finally:
            self.service.worker.stop()


def expected(runs, *rows):
    stream = runs["texts"].predictor.stream()
    return [[stream.answer(row, "a row")] for row in rows]


def test_a_short_row_waits_for_a_long_one_of_its_session(runs):
    asked = Asked(runs)

    async def scenario():
        requests = [await asked.ask(SHORT), await asked.ask(LONG), await asked.ask(SHORT)]
        assert [request.done() for request in requests] == [True, False, False]
        asked.service.worker.start()
        answers = await asyncio.gather(*requests)
        last = await asked.ask(LAST)
        assert last.done()  # at once again
        return [*answers, last.result()]

    assert asked.answers(scenario) == expected(runs, SHORT, LONG, SHORT, LAST)


@pytest.mark.parametrize("kind", ["session", "socket"])
def test_a_row_counts_if_and_only_if_it_is_answered(runs, kind):
    """Its time is over while it is computed: the time of the loop passes first, and then the row is done."""
    asked = Asked(runs, timeout=0.1)
    session = asked.service.sessions.start(asked.model, (None, "texts", "me"))
    answer, rows, begun = session.stream.answer, [], []

    async def scenario():
        loop, computed = asyncio.get_running_loop(), asyncio.Event()

        def late(row, where):
            if row is not LONG:
                return answer(row, where)
            begun.append(row)
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0.2), loop).result()
            said = answer(row, where)
            loop.call_soon_threadsafe(computed.set)
            return said

        async def ask(row):
            if kind == "session":
                return await asked.service.go_on(ANYBODY, asked.model, "me", [row])
            return await asked.service.answer_rows(asked.model, session.stream, [("a row", row)])

        session.stream.answer = late
        asked.service.worker.start()
        answers = []
        for row in (SHORT, LONG, SHORT, LAST):
            if row is LAST and begun:
                await computed.wait()
            asked.model.pace.seconds = 1e-6
            try:
                answers.append(await ask(row))
                rows.append(row)
            except Refusal:
                pass
        return answers

    assert asked.answers(scenario) == expected(runs, *rows)


def test_what_does_not_fit_a_batch_is_not_overtaken(runs):
    asked, order = Asked(runs, batch=4), []

    def compute(payloads):
        order.extend(payloads)
        return payloads

    async def scenario():
        worker = asked.service.worker
        sizes = {"a": 1, "b": 4, "c": 1}
        jobs = [asyncio.ensure_future(worker.answer(compute, n, group="rows", size=s)) for n, s in sizes.items()]
        await asyncio.sleep(0)
        worker.start()
        await asyncio.gather(*jobs)

    asked.answers(scenario)
    assert order == ["a", "b", "c"]


def test_a_session_does_not_idle_while_its_row_waits(runs):
    asked = Asked(runs)

    async def scenario():
        request = await asked.ask(LONG)
        (session,) = asked.service.sessions._by_key.values()
        session.used -= 1000
        assert len(asked.service.sessions) == 1
        session.used -= 1000
        asked.service.worker.start()
        return [await request, await (await asked.ask(LAST))]

    assert asked.answers(scenario) == expected(runs, LONG, LAST)


def test_the_end_of_a_session_is_not_that_of_the_next_of_its_name(runs):
    asked = Asked(runs)

    async def scenario():
        ending = await asked.ask(LONG, is_end=True)
        begun = await asked.ask(SHORT, is_start=True)
        asked.service.worker.start()
        await ending
        return [await begun, await (await asked.ask(LAST, is_start=False))]

    assert asked.answers(scenario) == expected(runs, SHORT, LAST)


def test_what_comes_after_the_end_belongs_to_the_next_session_of_that_name(runs):
    """Also before the end is answered."""
    asked = Asked(runs)

    async def scenario():
        first, ending = await asked.ask(LONG), await asked.ask(SHORT, is_end=True)
        with pytest.raises(DataError, match="there is no session"):
            await (await asked.ask(SHORT, is_start=False))
        begun = await asked.ask(LAST)
        asked.service.worker.start()
        return [await first, await ending, await begun, await (await asked.ask(LONG))]

    assert asked.answers(scenario) == [*expected(runs, LONG, SHORT), *expected(runs, LAST, LONG)]


def test_a_session_whose_end_is_refused_goes_on(runs):
    asked = Asked(runs, queue=1)

    async def scenario():
        first = await asked.ask(LONG)
        for how in ({"is_end": True}, {"is_start": False}):
            with pytest.raises(Refusal, match="wait already"):
                await (await asked.ask(SHORT, **how))
        asked.service.worker.start()
        return [await first, await (await asked.ask(LAST, is_start=False))]

    assert asked.answers(scenario) == expected(runs, LONG, LAST)


def test_a_session_begins_with_the_first_row_that_is_right(runs):
    asked = Asked(runs)

    async def scenario():
        wrong, right = await asked.ask(WRONG), await asked.ask(SHORT)
        asked.service.worker.start()
        with pytest.raises(DataError, match='has no column "text"'):
            await wrong
        answers = [await right, await (await asked.ask(LAST))]
        await (await asked.ask(SHORT, is_end=True))
        for row in (WRONG, WRONG):
            with pytest.raises(DataError):
                await (await asked.ask(row))
            assert not len(asked.service.sessions)
        return answers

    assert asked.answers(scenario) == expected(runs, SHORT, LAST)


def test_a_session_whose_last_row_is_wrong_goes_on(runs):
    asked = Asked(runs)

    async def scenario():
        asked.service.worker.start()
        first = await (await asked.ask(LONG))
        with pytest.raises(DataError, match='has no column "text"'):
            await (await asked.ask(WRONG, is_end=True))
        ended = await (await asked.ask(LAST, is_start=False, is_end=True))
        assert not len(asked.service.sessions)
        return [first, ended]

    assert asked.answers(scenario) == expected(runs, LONG, LAST)


class Broken:
    def answer(self, row, where):
        raise MemoryError


def test_rows_beside_some_that_fail_are_computed_once(runs):
    asked, stream = Asked(runs), runs["texts"].predictor.stream()

    async def scenario():
        worker = asked.service.worker
        payloads = [(Pace(), each, [("a row", SHORT)]) for each in (stream, Broken())]
        jobs = [asyncio.ensure_future(worker.answer(answer_rows, payload, group="rows")) for payload in payloads]
        await asyncio.sleep(0)
        worker.start()
        return await asyncio.gather(*jobs, return_exceptions=True)

    right, failure = asked.answers(scenario)
    assert isinstance(failure, MemoryError)
    assert [right, [stream.answer(LAST, "a row")]] == expected(runs, SHORT, LAST)
