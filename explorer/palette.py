"""The command palette: every action that a key leads to where one is, found by a word of what it does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content


class Actions(Provider):
    """What `?` lists, to be run at once."""

    async def discover(self) -> Hits:
        for active, said in self._actions():
            yield DiscoveryHit(Content(said), partial(self._run, active))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for active, said in self._actions():
            score = matcher.match(said)
            if score > 0:
                yield Hit(score, matcher.highlight(said), partial(self._run, active), text=said)

    def _actions(self) -> Iterator[tuple[ActiveBinding, str]]:
        seen: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.id is not None and binding.description and binding.id not in seen:
                seen.add(binding.id)
                key = binding.key_display or self.app.get_key_display(binding)
                yield active, f"{binding.tooltip or binding.description}  ({key})"

    async def _run(self, active: ActiveBinding) -> None:
        await self.app.run_action(active.binding.action, default_namespace=active.node)
