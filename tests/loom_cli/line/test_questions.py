from __future__ import annotations

import re

from loom_cli.line.questions import Questions, head_and_tail, question
from loom_cli.render.paint import paint
from loom_core.messages import ToolCall
from loom_core.runtime.approvals import Approval


def approval(summary: str = "touch file") -> Approval:
    call = ToolCall(id="c", name="Shell", arguments={})
    return Approval(id="a", call=call, summary=summary, reason="because it is so", rule="Shell(touch file)")


def shown(asked: Approval, columns: int = 80) -> str:
    return paint(question(asked, directory="/work", position="1 of 2", columns=columns), color=False, exact=True)


def test_a_question_says_what_why_where_and_what_session_means() -> None:
    assert shown(approval()) == (
        "May Shell run?  (1 of 2)\n"
        "│ \n"
        "│ touch file\n"
        "│ \n"
        "│ why      because it is so\n"
        "│ where    /work\n"
        "│ s allows Shell(touch file) until this session ends\n"
    )


def test_control_characters_of_the_call_are_visible() -> None:
    assert "rm \\x1b[8m-rf\\x0d \\u202e" in shown(approval("rm \x1b[8m-rf\r \u202e"))


def test_a_long_call_is_whole_and_stays_in_its_frame() -> None:
    command = "echo " + "x" * 5000
    text = shown(approval(command))
    assert command.replace(" ", "") in re.sub(r"\n│ +|\s", "", text)
    assert all(row.startswith("│ ") and len(row) <= 80 for row in text.splitlines()[1:])


def test_a_long_call_is_broken_between_words() -> None:
    rows = shown(approval("git commit --message of-some-length && git push"), columns=30).splitlines()
    assert rows[2:4] == ["│ git commit --message", "│   of-some-length && git push"]


def test_a_long_call_is_not_repeated_as_its_rule_or_reason() -> None:
    command = "echo " + "word " * 200
    call = ToolCall(id="c", name="Shell", arguments={})
    reason = f"mode default asks; --allow 'Shell({command})' or --mode auto would allow it"
    asked = Approval(id="a", call=call, summary=command, reason=reason, rule=f"Shell({command})")
    text = " ".join(shown(asked, columns=400).split())
    assert text.count("word") < 200 + 50
    assert "s allows exactly this call until this session ends: Shell(echo word" in text
    assert "or --mode auto would allow it" in text


def test_a_long_path_is_told_in_full_since_its_rule_covers_more_than_the_call() -> None:
    rule = f"Write({'long/' * 40}file)"
    call = ToolCall(id="c", name="Write", arguments={})
    asked = Approval(id="a", call=call, summary="Write file", reason="why", rule=rule)
    assert f"s allows {rule} until this session ends" in shown(asked, columns=400)


def test_of_a_huge_call_head_and_tail_are_shown_and_how_much_is_between() -> None:
    lines = head_and_tail("\n".join(f"line {number}" for number in range(5000)))
    assert lines[0] == "line 0"
    assert "… 4,920 more lines …" in lines
    assert lines[-1] == "line 4999"
    (line,) = head_and_tail("a" * 8000 + "b" * 5000 + "c" * 2000)
    assert line == "a" * 8000 + "… 5,000 more characters …" + "c" * 2000


def test_questions_are_answered_in_order() -> None:
    questions = Questions(lambda: 0.0)
    first, second = approval("first"), approval("second")
    questions.add(first)
    assert questions.position == ""
    questions.add(second)
    assert (questions.current, questions.position) == (first, "1 of 2")
    questions.show()
    assert not questions.settle()
    first.approve()
    assert questions.settle()
    assert (questions.current, questions.position, questions.shown) == (second, "2 of 2", False)
    second.cancel()
    assert not questions.settle()
    assert questions.current is None
    questions.add(approval())
    assert questions.position == ""
