"""Progress: plain lines on a pipe, one line written over on a terminal."""

import io

from services.demo.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_whole_lines_and_not_many() -> None:
    stream = io.StringIO()
    progress = Progress(stream)

    progress.say("Starting")
    for number in range(1000):
        progress.update(f"{number} of 1000")
    progress.say("Done")

    assert stream.getvalue() == "Starting\nDone\n"


def test_a_terminal_line_is_wiped_before_the_next() -> None:
    stream = Terminal()
    progress = Progress(stream)

    progress.update("古筝 1")
    progress.say("Done")

    assert stream.getvalue() == "古筝 1\r" + " " * 6 + "\rDone\n"
