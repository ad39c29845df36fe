"""An empty sheet to fill in: columns of text, so that a spreadsheet makes no date of 5/12 and no decimals of 2.537."""

from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from collector.audit.columns import COLUMNS
from collector.contract.errors import WrongUse

_TEXT = "@"
_WIDE = {"document": 40, "what": 40, "note": 40, "agency": 24, "block": 18}


def write(path: Path) -> None:
    """Write the sheet; each header tells in a note what stands below it. WrongUse if there is such a file already."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Số liệu"
    for place, column in enumerate(COLUMNS, 1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = _WIDE.get(column.id, 14)
        sheet.column_dimensions[letter].number_format = _TEXT
        header = sheet.cell(1, place, column.vi)
        header.font, header.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        header.comment = Comment(f"{column.says_vi}\n\n{column.en}: {column.says_en}", "collector")
    sheet.freeze_panes = "A2"
    try:
        with path.open("xb") as file:
            book.save(file)
    except FileExistsError:
        raise WrongUse(f"{path} is there already", mend="Name a new file; nothing is ever overwritten") from None
    except OSError as error:
        raise WrongUse(f"{path} cannot be written ({error.strerror})", mend="Name a file that you may write") from None
