"""The model's words on their way to the screen: finished blocks to print, and the tail that is still growing."""

import asyncio
from collections.abc import Callable

from loom_cli.line.blocks import MarkdownBlocks
from loom_cli.line.markdown import MarkdownRenderer
from loom_core.events import Event, ModelDelta, ModelResponse, StreamRestarted
from loom_core.messages import Text


class AnswerStream:
    """Takes a run's events; `show` is called with each block of the answer, rendered, when it is complete."""

    def __init__(self, show: Callable[[str], None], columns: Callable[[], int], *, color: bool) -> None:
        self._show = show
        self._columns = columns
        self._renderer = MarkdownRenderer(color=color)
        self._blocks = MarkdownBlocks()
        self._streamed = False

    @property
    def tail(self) -> str:
        """What came of the block in progress."""
        return self._blocks.tail

    async def take(self, event: Event) -> None:
        """Take in an event; those that carry no words of the model change nothing."""
        match event:
            case ModelDelta(kind="text"):
                self._streamed = True
                await self._print(self._blocks.feed(event.text))
            case StreamRestarted():
                self._blocks, self._streamed = MarkdownBlocks(), False
            case ModelResponse():
                words = "" if self._streamed else "".join(part.text for part in event.parts if isinstance(part, Text))
                await self._print([*self._blocks.feed(words), *self._blocks.finish()])
                self._streamed = False

    async def _print(self, blocks: list[str]) -> None:
        for block in blocks:
            # In a thread: the first block imports rich, and a long one takes a while, in which typing must go on.
            self._show(await asyncio.to_thread(self._renderer.render, block, self._columns()))
