"""Mailboxes (hộp thư công vụ): who has one, and who uses it.

Both formulas join the mailbox inventory with the calendar: they are products of tables, so they are `Cells`.
A mailbox row belongs to one calendar month; it is active on the days d of that month with
coalesce(active_from_day, first_listed_day) <= d and (closed_day is NULL or d < closed_day).
"""

from sqlalchemy import BindParameter, Integer, Select, Text, and_, bindparam, case, cast, func, or_, select

from collector.contract.indicator import Cells, Group, Indicator
from collector.contract.records import Mailbox, MailboxDay
from collector.contract.tables import agency_term, mailbox, mailbox_day, workday

_FIRST: BindParameter[int] = bindparam("first_day", type_=Integer)
_LAST: BindParameter[int] = bindparam("last_day", type_=Integer)
_AGENCY: BindParameter[str] = bindparam("agency", type_=Text)

_active = and_(
    mailbox.c.removed == 0,
    mailbox.c.agency.is_not(None),
    mailbox.c.month_day == workday.c.month_day,
    workday.c.day >= func.coalesce(mailbox.c.active_from_day, mailbox.c.first_listed_day),
    or_(mailbox.c.closed_day.is_(None), workday.c.day < mailbox.c.closed_day),
)


def _provisioned() -> Select[tuple[str, int, int, int, int]]:
    counts = (
        select(mailbox.c.agency, workday.c.day, func.count().label("mailboxes"))
        .join_from(mailbox, workday, _active)
        .where(mailbox.c.kind == "personal", workday.c.day.between(_FIRST, _LAST))
        .group_by(mailbox.c.agency, workday.c.day)
        .subquery()
    )
    mailboxes = func.coalesce(counts.c.mailboxes, 0)
    headcount = agency_term.c.headcount
    return (
        select(
            agency_term.c.agency,
            workday.c.day,
            case((headcount.is_(None), 0), (mailboxes < headcount, mailboxes), else_=headcount).label("hits"),
            func.coalesce(headcount, 0).label("judged"),
            case((headcount.is_(None), 1), else_=0).label("unknown"),
        )
        .join_from(
            agency_term,
            workday,
            and_(
                workday.c.day >= agency_term.c.from_day,
                or_(agency_term.c.to_day.is_(None), workday.c.day <= agency_term.c.to_day),
            ),
        )
        .outerjoin(counts, and_(counts.c.agency == agency_term.c.agency, counts.c.day == workday.c.day))
        # A month without any inventory says nothing about anybody.
        .where(workday.c.day.between(_FIRST, _LAST), workday.c.month_day.in_(select(mailbox.c.month_day)))
    )


def _daily_use() -> Select[tuple[str, int, int, int, int]]:
    used = (
        select(mailbox_day.c.pseudonym, mailbox_day.c.day)
        .where(
            mailbox_day.c.removed == 0,
            mailbox_day.c.sessions + mailbox_day.c.sent > 0,
            mailbox_day.c.day.between(_FIRST, _LAST),
        )
        .distinct()
        .subquery()
    )
    personal = mailbox.c.kind == "personal"
    return (
        select(
            mailbox.c.agency,
            workday.c.day,
            cast(func.count().filter(and_(personal, used.c.day.is_not(None))), Integer).label("hits"),
            cast(func.count().filter(personal), Integer).label("judged"),
            cast(func.count().filter(mailbox.c.kind.is_(None)), Integer).label("unknown"),
        )
        .join_from(mailbox, workday, _active)
        .outerjoin(used, and_(used.c.pseudonym == mailbox.c.pseudonym, used.c.day == workday.c.day))
        .where(
            workday.c.is_working == 1,
            workday.c.day.between(_FIRST, _LAST),
            or_(personal, mailbox.c.kind.is_(None)),
        )
        .group_by(mailbox.c.agency, workday.c.day)
    )


def _cells(cells: Select[tuple[str, int, int, int, int]]) -> Cells:
    # A mailbox is a person: what explains the figure are the agency's days, never its mailboxes.
    days = cells.subquery()
    items = (
        select(days.c.day, days.c.hits, days.c.judged, days.c.unknown)
        .where(days.c.agency == _AGENCY)
        .order_by(days.c.day)
    )
    return Cells(select=cells, items=items)


MAILBOXES = Group(
    id="mailboxes",
    things="mailboxes",
    needs=(Mailbox,),
    select=(
        select(mailbox.c.agency, workday.c.day, func.count(mailbox.c.pseudonym.distinct()).label("size"))
        .join_from(mailbox, workday, _active)
        .where(workday.c.day.between(_FIRST, _LAST))
        .group_by(mailbox.c.agency, workday.c.day)
    ),
)
"""The active mailboxes of an agency, of any kind."""

INDICATORS = (
    Indicator(
        id="mailboxes.provisioned",
        version=1,
        title_vi="Tỷ lệ cán bộ, công chức được cấp hộp thư công vụ",
        title_en="Officials who have been given an official mailbox",
        counted_vi="cán bộ, công chức trong biên chế ngày cuối kỳ",
        counted_en="officials on the payroll at the period's end",
        hit_vi="có hộp thư cá nhân đang hoạt động (không vượt quá biên chế)",
        hit_en="active personal mailboxes, at most one per official",
        legal="Phú Thọ's ranking, group 3 (QĐ 3426/QĐ-UBND, 18/12/2017): mailboxes issued / officials",
        needs=(Mailbox,),
        formula=_cells(_provisioned()),
        measured_from="register",
        period="end",
        group=MAILBOXES,
    ),
    Indicator(
        id="mailboxes.daily_use",
        version=1,
        title_vi="Tỷ lệ hộp thư công vụ được sử dụng hằng ngày",
        title_en="Official mailboxes used on a working day",
        counted_vi="hộp thư cá nhân đang hoạt động × ngày làm việc, kể từ ngày cấp",
        counted_en="active personal mailboxes × working days, from creation on",
        hit_vi="có phiên đăng nhập hoặc có thư gửi đi trong ngày",
        hit_en="a session present, or a mail sent, on that day",
        legal="Phú Thọ's ranking, group 3 (QĐ 3426/QĐ-UBND, 18/12/2017): used at least once a day",
        needs=(Mailbox, MailboxDay),
        formula=_cells(_daily_use()),
        workdays=True,
        group=MAILBOXES,
    ),
)
