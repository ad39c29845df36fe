"""Mailboxes (hộp thư công vụ): who has one, who uses it, how full it is, and how much goes to free mail.

The formulas join the mailbox inventory with the calendar or with the days of use: they are products of tables, so they
are `Cells`. A mailbox row belongs to one calendar month; it is active on the days d of that month with
coalesce(active_from_day, first_listed_day) <= d and (closed_day is NULL or d < closed_day). It is used on a day with a
session present or a mail sent.

`regular_use` asks of each mailbox whether it was used on at least 80 % of "the month's working days": of those on
which it was active, no others. A mailbox made in mid-month could not be used before; judged by the whole month it would
be a miss whatever its owner does, and an agency would lose by giving a mailbox to somebody new. So it is judged from
its first day on, and one that is closed by its last; a mailbox that was active on no working day is not judged.
"""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Function,
    Integer,
    Over,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)

from collector.contract.indicator import Cells, Group, Indicator
from collector.contract.records import Mailbox, MailboxDay
from collector.contract.tables import agency_term, mailbox, mailbox_day, workday

_FIRST: BindParameter[int] = bindparam("first_day", type_=Integer)
_LAST: BindParameter[int] = bindparam("last_day", type_=Integer)
_AGENCY: BindParameter[str] = bindparam("agency", type_=Text)

_begins = func.coalesce(mailbox.c.active_from_day, mailbox.c.first_listed_day)
_first_day = case((_begins < mailbox.c.month_day, mailbox.c.month_day), else_=_begins)
_of_month = and_(mailbox.c.removed == 0, mailbox.c.agency.is_not(None), mailbox.c.month_day == workday.c.month_day)
_on_day = and_(workday.c.day >= _begins, or_(mailbox.c.closed_day.is_(None), workday.c.day < mailbox.c.closed_day))
_active = and_(_of_month, _on_day)
_personal = mailbox.c.kind == "personal"
_of_unknown_kind = mailbox.c.kind.is_(None)
_month_before = _FIRST - _FIRST % 100  # below the first day of that month, above all days of the one before


def _number(rows: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.count().filter(rows), Integer)


def _total(column: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.sum(column), Integer)


def _spells(*counts: ColumnElement[int], of: ColumnElement[bool]) -> Subquery:
    """Counts of an agency's mailboxes by the days of a month from which and up to which (exclusive) they are active.

    Most mailboxes of an agency are active all month, so that there are few spells: a day's counts are added up from
    these, and never from every mailbox on every day.
    """
    first_day = _first_day.label("first_day")
    return (
        select(mailbox.c.agency, mailbox.c.month_day, first_day, mailbox.c.closed_day, *counts)
        .where(
            mailbox.c.removed == 0,
            mailbox.c.agency.is_not(None),
            mailbox.c.month_day > _month_before,
            mailbox.c.month_day <= _LAST,
            or_(mailbox.c.closed_day.is_(None), mailbox.c.closed_day > first_day),
            of,
        )
        .group_by(mailbox.c.agency, mailbox.c.month_day, first_day, mailbox.c.closed_day)
        .subquery()
    )


def _judged_spells() -> Subquery:
    """The spells of personal mailboxes (judged), and of those that may be (unknown)."""
    return _spells(
        _number(_personal).label("judged"),
        _number(_of_unknown_kind).label("unknown"),
        of=or_(_personal, _of_unknown_kind),
    )


def _by_day(spells: Subquery) -> Select[Any]:
    """The counts of spells added up by agency and day."""
    counts = [_total(column).label(column.name) for column in list(spells.c)[4:]]
    return (
        select(spells.c.agency, workday.c.day, *counts)
        .join_from(
            spells,
            workday,
            and_(
                workday.c.month_day == spells.c.month_day,
                workday.c.day >= spells.c.first_day,
                or_(spells.c.closed_day.is_(None), workday.c.day < spells.c.closed_day),
            ),
        )
        .where(workday.c.day.between(_FIRST, _LAST))
        .group_by(spells.c.agency, workday.c.day)
    )


def _used(*days: ColumnElement[bool]) -> Subquery:
    """The days on which each mailbox was used."""
    return (
        select(mailbox_day.c.pseudonym, mailbox_day.c.day)
        .where(mailbox_day.c.removed == 0, mailbox_day.c.sessions + mailbox_day.c.sent > 0, *days)
        .distinct()
        .subquery()
    )


def _used_by_day() -> Subquery:
    """The active mailboxes of each agency that were used on a day."""
    used = _used(mailbox_day.c.day.between(_FIRST, _LAST))
    return (
        select(
            mailbox.c.agency,
            workday.c.day,
            _number(_personal).label("personal"),
            _number(_of_unknown_kind).label("unknown"),
        )
        .join_from(used, workday, workday.c.day == used.c.day)
        .join(mailbox, and_(_active, mailbox.c.pseudonym == used.c.pseudonym))
        .group_by(mailbox.c.agency, workday.c.day)
        .subquery()
    )


def _agencies_by_day() -> Select[Any]:
    """Each agency of the register on each day of a month with an inventory: one without any says nothing of anybody."""
    return (
        select(agency_term.c.agency, workday.c.day, agency_term.c.headcount)
        .join_from(
            agency_term,
            workday,
            and_(
                workday.c.day >= agency_term.c.from_day,
                or_(agency_term.c.to_day.is_(None), workday.c.day <= agency_term.c.to_day),
            ),
        )
        .where(workday.c.day.between(_FIRST, _LAST), workday.c.month_day.in_(select(mailbox.c.month_day)))
    )


def _provisioned() -> Select[tuple[str, int, int, int, int]]:
    counts = _by_day(_spells(_number(_personal).label("mailboxes"), of=_personal)).subquery()
    staff = _agencies_by_day().subquery()
    mailboxes = func.coalesce(counts.c.mailboxes, 0)
    headcount = staff.c.headcount
    return select(
        staff.c.agency,
        staff.c.day,
        case((headcount.is_(None), 0), (mailboxes < headcount, mailboxes), else_=headcount).label("hits"),
        func.coalesce(headcount, 0).label("judged"),
        case((headcount.is_(None), 1), else_=0).label("unknown"),
    ).outerjoin_from(staff, counts, and_(counts.c.agency == staff.c.agency, counts.c.day == staff.c.day))


def _daily_use() -> Select[tuple[str, int, int, int, int]]:
    used = _used_by_day()
    spells = _judged_spells()
    counts = _by_day(spells).where(workday.c.is_working == 1).subquery()
    return select(
        counts.c.agency,
        counts.c.day,
        func.coalesce(used.c.personal, 0).label("hits"),
        counts.c.judged,
        counts.c.unknown,
    ).outerjoin_from(counts, used, and_(used.c.agency == counts.c.agency, used.c.day == counts.c.day))


def _daily_use_of_staff() -> Select[tuple[str, int, int, int, int]]:
    """A used mailbox of unknown kind may be an official's: so many of those left are neither hit nor miss."""
    counts = _used_by_day()
    by_day = _agencies_by_day().where(workday.c.is_working == 1).subquery()
    personal, unknown = func.coalesce(counts.c.personal, 0), func.coalesce(counts.c.unknown, 0)
    staff = (
        select(
            by_day.c.agency,
            by_day.c.day,
            by_day.c.headcount,
            case((personal < by_day.c.headcount, personal), else_=by_day.c.headcount).label("hits"),
            unknown.label("unknown"),
        )
        .outerjoin_from(by_day, counts, and_(counts.c.agency == by_day.c.agency, counts.c.day == by_day.c.day))
        .subquery()
    )
    left = staff.c.headcount - staff.c.hits
    maybe = case((staff.c.unknown < left, staff.c.unknown), else_=left)
    nobody_knows = staff.c.headcount.is_(None)
    return select(
        staff.c.agency,
        staff.c.day,
        case((nobody_knows, 0), else_=staff.c.hits).label("hits"),
        case((nobody_knows, 0), else_=staff.c.headcount - maybe).label("judged"),
        case((nobody_knows, 1), else_=maybe).label("unknown"),
    )


def _regular_use() -> Select[tuple[str, int, int, int, int]]:
    """The month so far, at each day's end: counted on its working days; a day off stands as the last one before it.

    Of a mailbox only the days of use are gone through. After the k-th of them it is in regular use for as long as
    its working days are at most 5 k / 4: up to a working day that can be told beforehand, or to its next day of use.
    """
    hits, judged = _in_regular_use(), _with_working_days()
    return select(
        judged.c.agency,
        judged.c.day,
        func.coalesce(hits.c.hits, 0).label("hits"),
        judged.c.judged,
        judged.c.unknown,
    ).outerjoin_from(judged, hits, and_(hits.c.agency == judged.c.agency, hits.c.day == judged.c.day))


_since, _closing = workday.alias("since"), workday.alias("closing")
_before = _since.c.working_ordinal - _since.c.is_working
"""The working ordinal before a mailbox's first day: on a day d it has had working_ordinal(d) - that many."""
_last = _closing.c.working_ordinal - _closing.c.is_working
"""The working ordinal of the last day before it was closed; NULL: it is not."""


def _with_working_days() -> Subquery:
    """The mailboxes of each agency that were active on a working day of the month up to a day."""
    spells = _judged_spells()
    return (
        select(
            spells.c.agency,
            workday.c.day,
            _total(spells.c.judged).label("judged"),
            _total(spells.c.unknown).label("unknown"),
        )
        .join_from(spells, _since, _since.c.day == spells.c.first_day)
        .outerjoin(_closing, _closing.c.day == spells.c.closed_day)
        .join(workday, and_(workday.c.month_day == spells.c.month_day, workday.c.working_ordinal > _before))
        .where(workday.c.day.between(_FIRST, _LAST), or_(_last.is_(None), _last > _before))
        .group_by(spells.c.agency, workday.c.day)
        .subquery()
    )


def _in_regular_use() -> Subquery:
    """The personal mailboxes of each agency that are in regular use in the month up to a day."""
    used = _used(mailbox_day.c.day > _month_before, mailbox_day.c.day <= _LAST)

    def in_turn(value: Function[int]) -> Over[int]:
        return value.over(partition_by=(mailbox.c.source, mailbox.c.key), order_by=workday.c.day)

    days_of_use = (
        select(
            mailbox.c.agency,
            mailbox.c.month_day,
            workday.c.working_ordinal.label("first"),
            (in_turn(func.lead(workday.c.working_ordinal)) - 1).label("before_next"),
            (_before + in_turn(func.row_number()) * 5 // 4).label("enough_until"),
            _last.label("last"),
        )
        .join_from(used, workday, and_(workday.c.day == used.c.day, workday.c.is_working == 1))
        .join(mailbox, and_(_active, _personal, mailbox.c.pseudonym == used.c.pseudonym))
        .join(_since, _since.c.day == _first_day)
        .outerjoin(_closing, _closing.c.day == mailbox.c.closed_day)
        .subquery()
    )
    d = days_of_use.c
    # Once it is closed neither its working days nor its days of use become more.
    until = case((d.last <= d.enough_until, _LAST), else_=d.enough_until)
    stretches = (
        select(
            d.agency,
            d.month_day,
            d.first,
            case((d.before_next < until, d.before_next), else_=until).label("until"),
            func.count().label("mailboxes"),
        )
        .group_by(d.agency, d.month_day, d.first, "until")
        .subquery()
    )
    return (
        select(stretches.c.agency, workday.c.day, _total(stretches.c.mailboxes).label("hits"))
        .join_from(
            stretches,
            workday,
            and_(
                workday.c.month_day == stretches.c.month_day,
                workday.c.working_ordinal.between(stretches.c.first, stretches.c.until),
            ),
        )
        .where(workday.c.day.between(_FIRST, _LAST))
        .group_by(stretches.c.agency, workday.c.day)
        .subquery()
    )


def _free_mail() -> Select[tuple[str, int, int, int, int]]:
    """Deliveries, not mailboxes: one whose mailbox a list already calls closed was made nevertheless."""
    return (
        select(
            mailbox.c.agency,
            mailbox_day.c.day,
            _total(mailbox_day.c.sent_free).label("hits"),
            _total(mailbox_day.c.sent_outside).label("judged"),
            literal(0).label("unknown"),
        )
        .join_from(mailbox_day, workday, workday.c.day == mailbox_day.c.day)
        .join(mailbox, and_(_of_month, mailbox.c.pseudonym == mailbox_day.c.pseudonym))
        .where(
            mailbox_day.c.removed == 0,
            mailbox_day.c.sent_outside > 0,
            mailbox_day.c.day.between(_FIRST, _LAST),
        )
        .group_by(mailbox.c.agency, mailbox_day.c.day)
    )


def _quota_full() -> Select[tuple[str, int, int, int, int]]:
    quota, used = mailbox.c.quota, mailbox.c.used
    told = and_(quota > 0, used.is_not(None))
    spells = _spells(
        # used / quota >= 9/10 in whole numbers that cannot overflow: bytes times ten could.
        _number(and_(told, used >= quota - quota // 10)).label("hits"),
        _number(told).label("judged"),
        _number(or_(quota.is_(None), and_(quota > 0, used.is_(None)))).label("unknown"),
        of=true(),
    )
    return _by_day(spells)


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
    Indicator(
        id="mailboxes.daily_use_of_staff",
        version=1,
        title_vi="Tỷ lệ cán bộ, công chức sử dụng hộp thư công vụ hằng ngày",
        title_en="Officials who use an official mailbox on a working day",
        counted_vi="cán bộ, công chức trong biên chế × ngày làm việc",
        counted_en="officials on the payroll × working days",
        hit_vi="hộp thư cá nhân có phiên đăng nhập hoặc có thư gửi đi trong ngày (không vượt quá biên chế)",
        hit_en="personal mailboxes with a session present, or a mail sent, on that day, at most one per official",
        legal="Phú Thọ's ranking, group 3 (QĐ 3426/QĐ-UBND, 18/12/2017): used at least once a day, of all officials"
        " rather than of those who were given a mailbox",
        needs=(Mailbox, MailboxDay),
        formula=_cells(_daily_use_of_staff()),
        measured_from="register",
        workdays=True,
        group=MAILBOXES,
    ),
    Indicator(
        id="mailboxes.regular_use",
        version=1,
        title_vi="Tỷ lệ hộp thư công vụ được sử dụng thường xuyên",
        title_en="Official mailboxes in regular use",
        counted_vi="hộp thư cá nhân đang hoạt động × tháng",
        counted_en="active personal mailboxes × months",
        hit_vi="được sử dụng trong ít nhất 80 % số ngày làm việc của tháng mà hộp thư hoạt động",
        hit_en="used on at least 80 % of the month's working days on which it was active",
        legal="no decision at hand sets the share: 80 % is this program's reading of `sử dụng thường xuyên`, an open"
        " month judged as far as it has come",
        needs=(Mailbox, MailboxDay),
        formula=_cells(_regular_use()),
        period="month",
        workdays=True,
        group=MAILBOXES,
    ),
    Indicator(
        id="mailboxes.free_mail",
        version=1,
        title_vi="Tỷ lệ thư công vụ gửi ra ngoài tới hộp thư miễn phí",
        title_en="Officials' mails to the outside that go to free mail",
        counted_vi="lượt gửi thư thành công của cán bộ, công chức tới địa chỉ ngoài tên miền cơ quan nhà nước",
        counted_en="deliveries of officials' mails to addresses outside government domains",
        hit_vi="tới tên miền thư điện tử miễn phí",
        hit_en="to a free-mail domain",
        legal="Chỉ thị 34/2008/CT-TTg (3/12/2008) and 15/CT-TTg (22/5/2012): state agencies work by mail, through"
        " official mailboxes; 5598/VPCP-TTĐT: nobody writes to the Government Office from yahoo, gmail and the like. No"
        " rule at hand says how much mail may go to such mailboxes",
        needs=(Mailbox, MailboxDay),
        formula=_cells(_free_mail()),
        better="lower",
        group=MAILBOXES,
    ),
    Indicator(
        id="mailboxes.quota_full",
        version=1,
        title_vi="Tỷ lệ hộp thư công vụ sắp đầy",
        title_en="Official mailboxes that are nearly full",
        counted_vi="hộp thư đang hoạt động có hạn mức dung lượng, ngày cuối kỳ",
        counted_en="active mailboxes with a limit, at the period's end",
        hit_vi="đã dùng từ 90 % hạn mức trở lên",
        hit_en="at or over 90 % of it",
        legal="none: a full mailbox takes no more mail, so that this tells whether the service can be used at all",
        needs=(Mailbox,),
        formula=_cells(_quota_full()),
        better="lower",
        period="end",
        group=MAILBOXES,
    ),
)
