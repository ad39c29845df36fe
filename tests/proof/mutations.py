"""Named mistakes that would make a figure wrong and let it look right, and the test that catches each.

`old` must stand in the file exactly once: if the program's text has changed, the mistake is to be written anew.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mistake: in `file` the text `old` becomes `new`; then `test` (a pytest node) must fail."""

    name: str
    file: str
    old: str
    new: str
    test: str


MUTATIONS = (
    Mutation(
        "completed on the due day is late (<= to <)",
        "indicators/dossiers.py",
        "else_=_c.completed_day <= _c.effective_due_day),",
        "else_=_c.completed_day < _c.effective_due_day),",
        "tests/indicators/test_dossiers.py::"
        "test_a_dossier_is_on_time_by_the_end_of_its_effective_due_day[on the due day]",
    ),
    Mutation(
        "completed on the due day is late, of those that fell due",
        "indicators/dossiers.py",
        "else_=and_(_c.completed_day.is_not(None), _c.completed_day <= _c.effective_due_day),",
        "else_=and_(_c.completed_day.is_not(None), _c.completed_day < _c.effective_due_day),",
        "tests/indicators/test_dossiers.py::"
        "test_a_dossier_is_on_time_by_the_end_of_its_effective_due_day[on the due day]",
    ),
    Mutation(
        "a day is cut in UTC",
        "collector/contract/period.py",
        "return _day_of_number((instant + OFFSET) // 86_400)",
        "return _day_of_number(instant // 86_400)",
        "tests/test_period.py::test_the_first_second_of_a_local_day_is_still_yesterday_in_utc",
    ),
    Mutation(
        "a mail log's day is cut in UTC",
        "connectors/email/mail_log.py",
        "zone=ZoneInfo(config.zone),",
        'zone=ZoneInfo("UTC"),',
        "tests/connectors/email/test_use.py::test_a_day_is_cut_on_the_local_clock_in_every_envelope",
    ),
    Mutation(
        "Tết is worked",
        "collector/workdays.py",
        "is_working = day in known.worked if weekend else day not in known.off",
        "is_working = day in known.worked if weekend else True",
        "tests/test_workdays.py::test_tet_2026_is_nine_days_in_a_row_between_two_working_days",
    ),
    Mutation(
        "Tết is not in the file of 2026",
        "config/workdays/2026.yaml",
        "  - {day: 2026-02-17, name: Tết Âm lịch (mùng 1)}\n",
        "",
        "tests/test_workdays.py::test_the_days_off_of_2026_are_those_decided",
    ),
    Mutation(
        "the working Saturday is forgotten",
        "collector/workdays.py",
        "is_working = day in known.worked if weekend else day not in known.off",
        "is_working = not weekend and day not in known.off",
        "tests/test_workdays.py::test_the_tenth_of_january_2026_is_worked_and_the_second_is_off",
    ),
    Mutation(
        "mailboxes are used on Sundays too",
        "indicators/mailboxes.py",
        "    counts = _by_day(spells).where(workday.c.is_working == 1).subquery()",
        "    counts = _by_day(spells).subquery()",
        "tests/indicators/test_mailboxes.py::test_personal_mailboxes_are_used_on_working_days_by_a_session_or_a_mail",
    ),
    Mutation(
        "a recalled document counts",
        "indicators/documents.py",
        "_c.issued_day.is_not(None), or_(_c.recalled.is_(None), _c.recalled == 0))",
        "_c.issued_day.is_not(None))",
        "tests/store/test_save.py::test_a_recalled_document_leaves_the_figure_also_if_the_recall_is_learnt_later",
    ),
    Mutation(
        "an unknown flag is a miss",
        "indicators/documents.py",
        "_electronic_alone = and_(_electronic, _c.paper_too == 0)",
        "_electronic_alone = and_(_electronic, _c.paper_too.is_not_distinct_from(0))",
        "tests/store/test_save.py::test_a_saved_document_is_counted_on_its_day",
    ),
    Mutation(
        "one electronic recipient is enough",
        "collector/store/derive.py",
        'func.min(d.electronic).label("electronic"),',
        'func.max(d.electronic).label("electronic"),',
        "tests/store/test_derive.py::test_a_document_is_sent_electronically_only_if_every_recipient_got_it_so",
    ),
    Mutation(
        "shared mailboxes count as used",
        "indicators/mailboxes.py",
        'personal = mailbox.c.kind == "personal"',
        "personal = mailbox.c.kind.is_not(None)",
        "tests/indicators/test_mailboxes.py::test_personal_mailboxes_are_used_on_working_days_by_a_session_or_a_mail",
    ),
    Mutation(
        "shared mailboxes count as provided",
        "indicators/mailboxes.py",
        '_spells(_number(_personal).label("mailboxes"), of=_personal)',
        '_spells(_number(true()).label("mailboxes"), of=true())',
        "tests/indicators/test_mailboxes.py::test_mailboxes_are_provided_to_at_most_the_headcount_and_on_days_off_too",
    ),
    Mutation(
        "more mailboxes than officials",
        "indicators/mailboxes.py",
        "(mailboxes < headcount, mailboxes), else_=headcount)",
        "(mailboxes < headcount, mailboxes), else_=mailboxes)",
        "tests/indicators/test_mailboxes.py::test_mailboxes_are_provided_to_at_most_the_headcount_and_on_days_off_too",
    ),
    Mutation(
        "the older version wins within a batch",
        "collector/store/merge.py",
        "row[at] > other[at] or (",
        "row[at] < other[at] or (",
        "tests/store/test_save.py::test_the_newest_version_of_a_key_wins_within_a_batch_whatever_the_order",
    ),
    Mutation(
        "an older page wins over what is stored",
        "collector/store/merge.py",
        "stale = exists().where(same_key, table.c.changed > staged.c.changed)",
        "stale = exists().where(same_key, table.c.changed < staged.c.changed)",
        "tests/store/test_save.py::test_the_newest_version_stays_and_an_older_one_that_arrives_late_changes_nothing",
    ),
    Mutation(
        "a due date promised anew counts",
        "collector/store/derive.py",
        "first = min(promises, default=None)",
        "first = max(promises, default=None)",
        "tests/store/test_derive.py::test_the_effective_due_date_is_the_first_promise_moved_by_legitimate_pauses",
    ),
    Mutation(
        "a pause that began too late cures",
        "collector/store/derive.py",
        "        if begun > due:\n            continue\n",
        "",
        "tests/store/test_derive.py::test_the_effective_due_date_is_the_first_promise_moved_by_legitimate_pauses",
    ),
    Mutation(
        "overlapping pauses count twice",
        "collector/store/derive.py",
        "            if begun <= last_ended:\n",
        "            if begun == last_ended:\n",
        "tests/store/test_derive.py::test_the_effective_due_date_is_the_first_promise_moved_by_legitimate_pauses",
    ),
    Mutation(
        "a dossier that waits on its due day counts",
        "indicators/dossiers.py",
        "        or_(_c.paused_on_due.is_(None), _c.paused_on_due == 0),\n",
        "",
        "tests/indicators/test_dossiers.py::"
        "test_a_dossier_is_on_time_by_the_end_of_its_effective_due_day[waiting on the due day]",
    ),
    Mutation(
        "withdrawn when it was late, a dossier leaves the figure",
        "indicators/dossiers.py",
        "or_(_c.ended_day.is_(None), _c.ended_day > _c.effective_due_day),",
        "_c.ended_day.is_(None),",
        "tests/indicators/test_dossiers.py::"
        "test_a_dossier_is_on_time_by_the_end_of_its_effective_due_day[withdrawn when it was late]",
    ),
    Mutation(
        "a procedure that no catalogue has is not offered online",
        "indicators/dossiers.py",
        "or_(_c.offered_level.is_(None), _c.offered_level.in_",
        "and_(_c.offered_level.is_not(None), _c.offered_level.in_",
        "tests/indicators/test_dossiers.py::"
        "test_a_dossier_is_online_if_it_was_filed_so_and_its_procedure_is_offered_so",
    ),
    Mutation(
        "a retried mail counts twice",
        "connectors/email/lines.py",
        "entry = self.pending.mails.pop(key, None)",
        "entry = self.pending.mails.get(key)",
        "tests/connectors/email/test_use.py::"
        "test_a_mail_counts_once_on_the_day_of_its_acceptance_however_often_it_is_tried",
    ),
    Mutation(
        "a session counts on its login day alone",
        "connectors/email/lines.py",
        "for later in days(plus_days(ended[0], 1), day):",
        "for later in days(day, ended[0]):",
        "tests/connectors/email/test_use.py::test_a_session_is_use_on_each_day_that_it_touches",
    ),
    Mutation(
        "a log that has grown counts twice when it is read again",
        "connectors/email/chain.py",
        "        if span.start == start:\n            return span, None\n",
        "",
        "tests/connectors/email/test_rotation.py::"
        "test_a_log_that_has_grown_counts_once_when_it_is_read_again_from_no_cursor",
    ),
    Mutation(
        "a figure without a source is zero",
        "collector/readings.py",
        'member.code, period, "missing", None, (0, 0, 0), why))',
        'member.code, period, "measured", period.last, (0, 0, 1), why))',
        "tests/test_readings.py::test_without_a_source_that_serves_it_a_figure_is_missing_and_has_no_counts",
    ),
    Mutation(
        "nothing that can be judged is zero",
        "collector/readings.py",
        '    if judged == 0 and unknown > 0:\n        return "missing", ',
        '    if judged == 0 and unknown > 0:\n        return "measured", ',
        "tests/test_readings.py::test_nothing_that_can_be_judged_is_missing",
    ),
    Mutation(
        "nothing to judge is measured",
        "collector/readings.py",
        'return ("measured", "") if judged else ("not_applicable", "covered, and there was nothing to judge")',
        'return "measured", ""',
        "tests/test_readings.py::test_covered_and_nothing_to_judge_is_not_applicable_and_neither_0_nor_100_percent",
    ),
    Mutation(
        "a gap is passed over in silence",
        "collector/readings.py",
        "        if lost:\n",
        "        if lost > 1:\n",
        "tests/test_readings.py::test_a_gap_before_through_is_partial_and_told",
    ),
    Mutation(
        "what cannot be judged is a miss",
        "collector/store/tallies.py",
        "(verdict == 1, verdict < _UNKNOWN, verdict == _UNKNOWN)",
        "(verdict == 1, verdict <= _UNKNOWN, verdict == _UNKNOWN)",
        "tests/store/test_save.py::test_a_saved_document_is_counted_on_its_day",
    ),
    Mutation(
        "a removed record counts",
        "collector/store/tallies.py",
        "facts.c.agency.is_not(None), facts.c.removed == 0, day.is_not(None)",
        "facts.c.agency.is_not(None), day.is_not(None)",
        "tests/store/test_save.py::test_a_removed_record_counts_nowhere",
    ),
    Mutation(
        "a changed row is counted beside what it was",
        "collector/store/save.py",
        "tallies.add(connection, plan, facts, _TOUCHED[facts], -1)",
        "tallies.add(connection, plan, facts, _TOUCHED[facts], 0)",
        "tests/store/test_save.py::test_a_document_with_several_recipients_moves_between_cells_once",
    ),
    Mutation(
        "the cursor is ahead of the data",
        "collector/collect.py",
        "                held += _size(batch)\n",
        "                held += _size(batch)\n"
        "                from collector.store.save import save_cursor\n"
        "                with writing(tools.engine) as connection:\n"
        "                    save_cursor(connection, job.source, batch.cursor or {})\n",
        "tests/test_collect.py::test_the_cursor_is_never_ahead_of_what_was_saved",
    ),
    Mutation(
        "today is covered before it is over",
        "collector/collect.py",
        "yesterday = plus_days(local_day(began), -1)\n    window =",
        "yesterday = local_day(began)\n    window =",
        "tests/test_collect.py::test_an_ordinary_run_asks_from_the_cursor_for_all_days_up_to_yesterday",
    ),
    Mutation(
        "a pseudonym has no key",
        "collector/transports/pseudonym.py",
        'hmac.digest(self._key(month), text, "sha256")',
        'hmac.digest(b"key", text, "sha256")',
        "tests/transports/test_pseudonym.py::test_a_pseudonym_is_the_cut_hmac_of_the_address_under_its_months_key",
    ),
    Mutation(
        "a refused login to Zimbra is use",
        "connectors/email/zimbra_lines.py",
        ' or b"error" in told',
        "",
        "tests/connectors/email/test_zimbra_logs.py::test_what_is_no_login_of_an_official_is_no_use",
    ),
    Mutation(
        "an administrator in somebody's mailbox is that person's use",
        "connectors/email/zimbra_lines.py",
        'None if b"aname" in told else told',
        "told",
        "tests/connectors/email/test_zimbra_logs.py::test_what_no_client_of_the_mailbox_asked_is_no_presence",
    ),
    Mutation(
        "a silent mail server is one that nobody uses",
        "connectors/email/chain.py",
        "if first > self.heard + longest:",
        "if False:",
        "tests/connectors/email/test_silence.py::"
        "test_days_on_which_the_mail_server_wrote_nothing_for_too_long_are_not_covered",
    ),
    Mutation(
        "a mailbox is the agency's to which it will move in the month",
        "connectors/email/whose.py",
        "if term.first_day <= month_day <= term.last_day:",
        "if False:",
        "tests/connectors/email/test_whose.py::test_the_file_tells_whose_a_mailbox_is_in_a_month",
    ),
    Mutation(
        "a small agency is hidden alone",
        "collector/suppression.py",
        "            hidden |= next_smallest(block, hidden)\n",
        "            pass\n",
        "tests/test_suppression.py::test_one_small_agency_takes_the_next_smallest_of_its_block_with_it",
    ),
    Mutation(
        "a month is told of which a day may not be",
        "collector/suppression.py",
        'day == last if indicator.period == "end" else start <= day <= last',
        "day == last",
        "tests/test_suppression.py::test_who_grows_within_a_month_is_told_for_the_days_on_which_it_is_large",
    ),
    Mutation(
        "the points of a suppressed agency are its own",
        "collector/readings.py",
        "        hits, judged = sum(each.hits or 0 for each in hidden), sum(each.judged or 0 for each in hidden)\n",
        "        hits, judged = one.hits or 0, one.judged or 0\n",
        "tests/test_suppression.py::test_points_of_a_suppressed_agency_come_from_all_that_is_hidden_with_it",
    ),
    Mutation(
        "arrival of a document is taken for its receipt",
        "connectors/docmgmt/trunk_book.py",
        '_RECEIVED = ("03", "04", "05", "06")',
        '_RECEIVED = ("01", "03", "04", "05", "06")',
        "tests/connectors/docmgmt/test_trunk_folder.py::test_a_status_proves_receipt_from_03_on",
    ),
    Mutation(
        "a recall that nobody answered counts",
        "connectors/docmgmt/trunk_book.py",
        "return max(answers)[1] if answers else None",
        "return max(answers)[1] if answers else 1",
        "tests/connectors/docmgmt/test_trunk_folder.py::test_a_recall_counts_once_the_recipient_agreed",
    ),
    Mutation(
        "what passed through a trunk is taken for all that was issued",
        "connectors/docmgmt/trunk.py",
        'sent="out" if register else "sent",',
        'sent="out",',
        "tests/connectors/docmgmt/test_trunk_folder.py::test_a_trunk_is_no_register_unless_it_is_said_to_stand_for_one",
    ),
    Mutation(
        "a list that was cut in silence is taken for whole",
        "connectors/docmgmt/trunk_lists.py",
        "if said.count is not None and said.count != read:",
        "if said.count is not None and said.count < read:",
        "tests/connectors/docmgmt/test_trunk_service.py::test_a_window_that_is_cut_in_silence_is_asked_for_in_halves",
    ),
    Mutation(
        "the envelope's signature is taken for the document's",
        "connectors/docmgmt/trunk_book.py",
        'signed = envelope if self.signature == "envelope" else attachment',
        "signed = envelope",
        "tests/connectors/docmgmt/test_trunk_folder.py::test_whose_signature_counts_is_a_setting",
    ),
    Mutation(
        "a DTD is read",
        "connectors/docmgmt/edxml.py",
        "self._reader.forbid_dtd = True",
        "self._reader.forbid_dtd = False",
        "tests/connectors/docmgmt/test_edxml.py",
    ),
    Mutation(
        "an update of a document is one more document",
        "connectors/docmgmt/edxml.py",
        'if kind in ("recall", "update") else None',
        'if kind == "recall" else None',
        "tests/connectors/docmgmt/test_trunk_folder.py::"
        "test_recall_update_and_replacement_are_no_new_documents_but_the_replacing_one_is",
    ),
    Mutation(
        "a destroyed month is counted anew from nothing",
        "collector/store/tallies.py",
        "        first = max(first, month_of(dead).end)\n",
        "        pass\n",
        "tests/test_privacy.py::test_a_month_is_counted_by_no_rebuild_register_or_declaration_any_more",
    ),
    Mutation(
        "what waits in the cursors outlives the month's key",
        "connectors/email/pending.py",
        "        return begun.first == month_day or ",
        "        return ",
        "tests/test_privacy.py::test_what_waits_in_the_cursors_under_another_months_key_stays",
    ),
    Mutation(
        "a key is made for a destroyed month",
        "collector/transports/pseudonym.py",
        "        if _mark(folder, month).exists():\n            raise",
        "        if False:\n            raise",
        "tests/test_privacy.py::test_a_key_is_never_made_again_for_a_destroyed_month_and_a_running_program_forgets_it",
    ),
    Mutation(
        "a due date that may have been moved counts as the first one",
        "connectors/onestop/opencps_dossier.py",
        'basis = "first" if surely_first else "current"',
        'basis = "first"',
        "tests/connectors/onestop/test_opencps.py::"
        "test_a_due_date_that_may_have_been_moved_before_it_was_first_seen_is_no_first_promise",
    ),
    Mutation(
        "an agency that the account does not see has no dossiers",
        "connectors/onestop/opencps_scope.py",
        "if total == 0 and code not in agencies.may_be_empty",
        "if False",
        "tests/connectors/onestop/test_opencps.py::test_an_agency_that_is_not_seen_is_named_and_no_day_is_covered",
    ),
    Mutation(
        "rows that shifted are lost without a word",
        "connectors/onestop/opencps_pages.py",
        "if stated != total or (count and (not items or key_of(items[0]) != last)):",
        "if stated != total:",
        "tests/connectors/onestop/test_opencps.py::test_rows_that_shift_while_they_are_read_are_not_lost[1-meanwhile1]",
    ),
    Mutation(
        "dossiers that are deleted softly count on",
        "connectors/onestop/sql_register.py",
        'return ["changed"] if deletes is None else ["changed", deletes]',
        'return ["changed"]',
        "tests/connectors/onestop/test_sql_register.py::"
        "test_a_soft_delete_removes_also_where_the_changed_column_did_not_move[sqlite]",
    ),
    Mutation(
        "a month is judged by its last day's use alone: what is learnt of a day moves no later day",
        "collector/store/tallies.py",
        "            last = month_of(last).last\n",
        "            pass\n",
        "tests/indicators/test_mailboxes.py::"
        "test_what_is_learnt_of_a_day_moves_all_later_days_of_its_month_and_no_others",
    ),
    Mutation(
        "a quarter of regular use is its last month alone",
        "collector/readings.py",
        "            return [(day, day) for day in month_ends(first, through)]",
        "            return [(through, through)]",
        "tests/test_readings.py::test_a_figure_by_months_adds_up_how_each_month_stood_at_its_end",
    ),
    Mutation(
        "a mailbox made in mid-month is judged by the whole month",
        "indicators/mailboxes.py",
        "        .join(_since, _since.c.day == _first_day)",
        "        .join(_since, _since.c.day == mailbox.c.month_day)",
        "tests/indicators/test_mailboxes.py::test_a_mailbox_made_in_mid_month_is_judged_from_then_on[4-1]",
    ),
    Mutation(
        "more officials use a mailbox than there are",
        "indicators/mailboxes.py",
        '            case((personal < by_day.c.headcount, personal), else_=by_day.c.headcount).label("hits"),',
        '            personal.label("hits"),',
        "tests/indicators/test_mailboxes.py::"
        "test_of_three_officials_so_many_use_a_mailbox_as_personal_ones_are_used_and_never_more",
    ),
    Mutation(
        "a quota that nobody told is no limit",
        "connectors/email/inventory.py",
        "    if not text:\n        return None\n    if plain(text) in _UNLIMITED:",
        "    if not text:\n        return unlimited\n    if plain(text) in _UNLIMITED:",
        "tests/connectors/email/test_mailbox_lists.py::"
        "test_lists_may_tell_quota_and_used_and_the_last_list_of_the_month_that_has_a_mailbox_counts",
    ),
    Mutation(
        "a mailbox without a limit is judged as not full",
        "indicators/mailboxes.py",
        "    told = and_(quota > 0, used.is_not(None))",
        "    told = and_(quota >= 0, used.is_not(None))",
        "tests/indicators/test_mailboxes.py::"
        "test_a_mailbox_is_nearly_full_from_90_percent_of_its_limit_on[0-1000000000000-counted11]",
    ),
    Mutation(
        "a delivery is counted in every month that lists the mailbox",
        "indicators/mailboxes.py",
        "        .join(mailbox, and_(_of_month, mailbox.c.pseudonym == mailbox_day.c.pseudonym))",
        "        .join(mailbox, mailbox.c.pseudonym == mailbox_day.c.pseudonym)",
        "tests/indicators/test_mailboxes.py::test_deliveries_outside_of_an_agencys_mailboxes_are_added_up_by_day",
    ),
    Mutation(
        "a delivery is the sender's",
        "collector/contract/records.py",
        '    AGENCY_CODE: ClassVar[str] = "counterpart"',
        '    AGENCY_CODE: ClassVar[str] = "agency_code"',
        "tests/indicators/test_documents.py::"
        "test_a_delivery_is_to_be_acknowledged_by_its_recipient_by_the_next_working_day[received on the day]",
    ),
    Mutation(
        "a delivery is to be answered by the next calendar day",
        "collector/store/derive.py",
        "        answer = None if ordinal is None else calendar.day_of.get(ordinal + 1)",
        "        answer = None if ordinal is None else sent + 1",
        "tests/indicators/test_documents.py::"
        "test_a_delivery_is_to_be_acknowledged_by_its_recipient_by_the_next_working_day"
        "[sent on the Saturday, received on Monday]",
    ),
    Mutation(
        "a delivery does not follow its document",
        "collector/store/save.py",
        "        if one.record is Document and answered:",
        "        if False:",
        "tests/indicators/test_documents.py::test_a_delivery_follows_what_becomes_of_its_document_later",
    ),
    Mutation(
        "what nobody can look up is said not to be there",
        "collector/matching.py",
        "unmatched=len(ids) - found if listed else None,",
        "unmatched=len(ids) - found,",
        "tests/test_matching.py::test_a_recipient_without_a_list_with_ids_is_not_said_to_lack_anything",
    ),
    Mutation(
        "what a listing leaves out has vanished",
        "collector/reconcile.py",
        "found = self._read(record, list(left.keys))",
        "found: set[str] = set()",
        "tests/test_reconcile.py::test_a_record_that_moved_to_another_day_has_not_vanished",
    ),
    Mutation(
        "a listing without an end is believed",
        "collector/reconcile.py",
        "                if block.whole:\n                    whole.add(record)",
        "                if block.keys:\n                    whole.add(record)",
        "tests/test_reconcile.py::test_a_listing_that_does_not_come_to_its_end_buries_nothing[ends]",
    ),
    Mutation(
        "however much is gone is believed",
        "collector/reconcile.py",
        "if len(gone) * _SHARE > left.total:",
        "if len(gone) > left.total:",
        "tests/test_reconcile.py::test_a_tenth_of_a_window_may_vanish_and_no_more[11-False-11 of 100 are missing]",
    ),
    Mutation(
        "a change in silence loses against what is stored",
        "collector/reconcile.py",
        "row = (*row[:at], state.changed + 1, *row[at + 1 :])",
        "row = (*row[:at], version, *row[at + 1 :])",
        "tests/test_reconcile.py::test_a_change_that_moved_no_version_is_read_and_stands",
    ),
    Mutation(
        "a tombstone keeps a record that is there again away",
        "collector/store/tombstones.py",
        ".values(changed=OLDEST)",
        ".values(changed=table.c.changed)",
        "tests/test_reconcile.py::test_an_ordinary_run_that_meets_a_buried_record_digs_it_up",
    ),
    Mutation(
        "a corrected mapping corrects some rows and not others",
        "connectors/docmgmt/sql_register.py",
        "return Batch({plan.record: converted.rows}, self.cursor(), bad=converted.bad, read=read, live=True)",
        "return Batch({plan.record: converted.rows}, self.cursor(), bad=converted.bad, read=read)",
        "tests/connectors/docmgmt/test_register_shapes.py::"
        "test_a_corrected_mapping_corrects_every_row_that_was_read_before",
    ),
    Mutation(
        "days read again keep what a bug had left",
        "collector/store/save.py",
        "        if span_ in spans and key not in kept\n",
        "        if span_ in spans and key in kept\n",
        "tests/connectors/email/test_backfill.py::test_a_row_that_should_not_be_there_goes_with_the_figure_that_it_made",
    ),
    Mutation(
        "what only files that are gone could tell is lost when the rest is read again",
        "connectors/email/chain.py",
        "0 if again is None or replaces else -1",
        "0",
        "tests/connectors/email/test_backfill.py::"
        "test_a_lost_cursor_reads_all_again_and_loses_nothing_that_only_files_now_gone_could_tell",
    ),
    Mutation(
        "without its cursor a mail server's mailboxes begin today",
        "connectors/email/polls.py",
        "return memory_from_rows(want.mailboxes(None))",
        "return None",
        "tests/connectors/email/test_lost_cursor.py::test_whenever_the_cursor_is_lost_the_same_is_told",
    ),
    Mutation(
        "who stood in a list by mistake counts after it was corrected",
        "connectors/email/mail_log.py",
        "rows += inventory.struck_out(rows, want.mailboxes(month.first), changed)",
        "pass",
        "tests/connectors/email/test_mailbox_lists.py::"
        "test_a_list_that_is_corrected_leaves_nothing_of_what_was_wrong_in_it",
    ),
    Mutation(
        "a session over midnight ends unseen where a run begins with its end",
        "connectors/email/day_part.py",
        r"(?:-login: (?:Info: )?Login: user=<|\([^\n]*\)<\d)",
        r"(?:-login: (?:Info: )?Login: user=<)",
        "tests/connectors/email/test_both_readers.py::"
        "test_a_run_that_begins_with_the_end_of_a_session_counts_its_last_day",
    ),
    Mutation(
        "a line that a relay of the log repeats is another delivery",
        "connectors/email/lines.py",
        "if not kind or recipient.lower() in told or self._was_told(key, day, recipient.lower()):",
        "if not kind:",
        "tests/connectors/email/test_deliveries.py::test_a_delivery_whose_line_a_relay_repeats_counts_once[2]",
    ),
    Mutation(
        "a filter's answer that comes first names nobody's mail",
        "connectors/email/lines.py",
        "if opened is None and day <= plus_days(pending.linked.get(key, 19_700_101), 1):",
        "if False:",
        "tests/connectors/email/test_deliveries.py::"
        "test_a_filters_answer_names_its_sender_wherever_it_stands_among_the_lines_of_the_id[ends0-0]",
    ),
    Mutation(
        "an administrator at Zimbra's console uses the mailbox",
        "connectors/email/zimbra_lines.py",
        'return command == b"Auth" and since is not None and since <= instant <= since + _VERIFIED',
        "return False",
        "tests/connectors/email/test_zimbra_logs.py::"
        "test_an_administrators_login_to_the_console_is_no_use_of_the_mailbox[]",
    ),
    Mutation(
        "two files that begin with the same rest of a line are one",
        "connectors/email/rotation.py",
        "return head[begin : second if has_time(head[end + 1 : second]) else end]",
        "return head[begin:end]",
        "tests/connectors/email/test_rotation.py::test_two_files_that_begin_with_the_same_rest_of_a_line_are_two_files",
    ),
    Mutation(
        "what bears the last stamp of a page is passed over",
        "connectors/onestop/rest_register_pages.py",
        "size, at = self.paging.page_size, last",
        "size, at = self.paging.page_size, earlier(self.clock, last, -1)",
        "tests/connectors/onestop/test_rest_register.py::"
        "test_a_page_that_ends_within_a_stamp_is_followed_by_the_rest_of_it",
    ),
    Mutation(
        "a status that the mapping does not explain is guessed",
        "connectors/onestop/rest_register.py",
        'return meant.get(text, "")',
        "return meant.get(text, text)",
        "tests/connectors/onestop/test_rest_register.py::test_an_entry_becomes_a_dossier_by_the_mapping_alone",
    ),
    Mutation(
        "what an agency left when it ended is nobody's",
        "collector/succession.py",
        "    for one in left.by_heir.get(agency, ()):\n",
        "    for one in ():\n",
        "tests/test_succession.py::"
        "test_each_agency_has_what_it_answers_for_and_the_province_has_all[dossiers.on_time_766-2025-Q3]",
    ),
    Mutation(
        "what stands open at an agency's end counts there and at its successor",
        "collector/succession.py",
        "goes_on = through < last or last == period.last",
        "goes_on = True",
        "tests/test_succession.py::"
        "test_each_agency_has_what_it_answers_for_and_the_province_has_all[dossiers.resolved-2025]",
    ),
    Mutation(
        "a code in use after its agency's end means nobody",
        "collector/agencies.py",
        "for find in (self._on, self._after, self._before):",
        "for find in (self._on, self._before):",
        "tests/test_agencies.py::test_a_code_kept_in_use_after_its_agencys_end_means_the_successor",
    ),
    Mutation(
        "a withdrawn dossier is not on time in the count of QĐ 766",
        "indicators/dossiers.py",
        "hit=or_(_withdrawn, _c.due_day.is_(None),",
        "hit=or_(_c.due_day.is_(None),",
        "tests/indicators/test_dossiers_as_others_count.py::"
        "test_each_dossier_is_judged_as_worked_out_by_hand[dossiers.on_time_766]",
    ),
    Mutation(
        "OpenCPS' count compares days",
        "indicators/dossiers.py",
        "_c.completed <= _c.due),",
        "_c.completed_day <= _c.due_day),",
        "tests/indicators/test_on_time_page.py::test_each_of_twenty_dossiers_is_classed_as_by_hand",
    ),
    Mutation(
        "what was withdrawn or stopped stays to be resolved for ever",
        "collector/readings.py",
        "there[agency] = there.get(agency, 0) - int(all_judged)",
        "there[agency] = there.get(agency, 0)",
        "tests/indicators/test_dossiers_resolved.py::test_each_dossier_is_classed_as_by_hand_in_two_months",
    ),
    Mutation(
        "completed on the day of its receipt, a dossier is taken from what was open",
        "indicators/dossiers.py",
        "hit=and_(_c.received_day.is_not(None), _c.completed_day > _c.received_day),",
        "hit=and_(_c.received_day.is_not(None), _c.completed_day >= _c.received_day),",
        "tests/indicators/test_dossiers_resolved.py::test_each_dossier_is_classed_as_by_hand_in_two_months",
    ),
    Mutation(
        "where nobody tells of fees, none was paid",
        "indicators/dossiers.py",
        'or_(_c.payment.is_(None), _c.payment != "none")',
        'and_(_c.payment.is_not(None), _c.payment != "none")',
        "tests/indicators/test_dossiers_as_others_count.py::"
        "test_each_dossier_is_judged_as_worked_out_by_hand[dossiers.paid_online]",
    ),
    Mutation(
        "a fee paid in cash counts as paid online",
        "connectors/onestop/national_flags.py",
        'case "1", "online":',
        'case "1", _:',
        "tests/connectors/onestop/test_national_format.py::test_how_a_fee_was_paid",
    ),
    Mutation(
        "a dossier that lists no papers has none digitised",
        "connectors/onestop/national_flags.py",
        "return None if None in flags or not flags else 0",
        "return None if None in flags else 0",
        "tests/connectors/onestop/test_national_format.py::test_whether_papers_are_digitised_is_told_or_unknown",
    ),
    Mutation(
        "a common line of a catalogue goes before the agency's own",
        "collector/store/offers.py",
        '(line.listed, line.agency_code != "", line.from_day',
        '(line.listed, line.agency_code == "", line.from_day',
        "tests/indicators/test_procedures.py::"
        "test_a_procedure_in_force_on_a_day_counts_once_by_its_level[its own line goes first]",
    ),
    Mutation(
        "a procedure whose level nobody tells is not offered online",
        "indicators/procedures.py",
        "_known = and_(offer.c.listed == 1, offer.c.level.is_not(None))",
        "_known = and_(offer.c.listed == 1)",
        "tests/indicators/test_procedures.py::"
        "test_a_procedure_in_force_on_a_day_counts_once_by_its_level[its own line does not tell]",
    ),
    Mutation(
        "a procedure that only a dossier showed is one of all in force",
        "indicators/procedures.py",
        "_known = and_(offer.c.listed == 1, offer.c.level.is_not(None))",
        "_known = offer.c.level.is_not(None)",
        "tests/indicators/test_procedures.py::test_an_agency_of_which_only_dossiers_tell_has_no_figure",
    ),
    Mutation(
        "a probe that was not carried out is a miss of the system",
        "indicators/systems.py",
        "_JUDGED: ColumnElement[int] = _c.answered + _c.silent",
        "_JUDGED: ColumnElement[int] = _c.planned - _c.excused",
        "tests/indicators/test_systems.py::test_an_agency_has_the_probes_of_all_systems_that_serve_it",
    ),
    Mutation(
        "the province counts a probe once for each agency that it serves",
        "collector/succession.py",
        "    return replace(total, hits=int(hits), judged=int(judged), unknown=int(unknown))",
        "    return total",
        "tests/indicators/test_systems.py::test_wider_figures_have_each_probe_once",
    ),
    Mutation(
        "what could not be asked is silent",
        "collector/probing.py",
        "elif instant == newest and said is not None:\n            answered, silent = answered + said,",
        "elif instant == newest:\n            answered, silent = answered + bool(said),",
        "tests/test_probing.py::test_what_could_not_be_asked_is_no_silence",
    ),
    Mutation(
        "the day on which the first probe was made is a whole one",
        "collector/probing.py",
        "and one.begun <= instants[0] and",
        "and",
        "tests/test_probing.py::test_a_day_is_covered_once_it_is_over_and_was_watched_from_its_start",
    ),
    Mutation(
        "a program that hangs answers, as the kernel accepts the connection",
        "collector/transports/reach.py",
        "return bool(_some(line, 1, ends, tick))",
        "return True",
        "tests/transports/test_reach.py::test_an_accepted_connection_is_no_answer",
    ),
    Mutation(
        "what no cause explains is not told",
        "collector/compare/result.py",
        "return None if self.ours is None else self.theirs - self.ours - sum(self.causes.values())",
        "return None if self.ours is None else 0",
        "tests/compare/test_totals.py::test_what_no_cause_explains_is_told_whatever_its_size",
    ),
    Mutation(
        "what only went on after a source's report is taken for entered late",
        "collector/compare/seen.py",
        "if not later and len(known) == len(one.promises):",
        "if True:",
        "tests/compare/test_totals.py::test_what_only_went_on_after_the_report_was_counted_in_it",
    ),
    Mutation(
        "a source's total that its row leaves empty is zero",
        "connectors/onestop/national_report.py",
        "if None not in values:",
        "if True:",
        "tests/connectors/onestop/test_national_report.py::"
        "test_what_a_row_leaves_empty_is_not_told_of_its_agency_and_no_zero",
    ),
    Mutation(
        "a date that passes while the clock stands raises a flag",
        "collector/flags.py",
        "if in_force.day is not None and not in_force.paused and in_force.day < day:",
        "if in_force.day is not None and in_force.day < day:",
        "tests/test_flags.py::test_a_due_date_moved_after_it_had_passed[while the clock stood still]",
    ),
    Mutation(
        "the day of receipt is counted",
        "collector/promises.py",
        "    return _after(received_day, _whole(days), calendar)\n",
        "    return _after(received_day, _whole(days) - 1, calendar)\n",
        "tests/test_promises.py::test_the_last_day_of_a_time[20260105-5 working_days-20260110]",
    ),
    Mutation(
        "plain days end on a day off",
        "collector/promises.py",
        "        return _open(plus_days(received_day, _whole(limit.count)), calendar)\n",
        "        return plus_days(received_day, _whole(limit.count))\n",
        "tests/test_promises.py::test_the_last_day_of_a_time[20260106-5 days-20260112]",
    ),
    Mutation(
        "who went down a place went up",
        "indicators/scoring/points.py",
        "change=None if then is None or now is None else then - now",
        "change=None if then is None or now is None else now - then",
        "tests/test_succession.py::test_the_change_of_a_rank_goes_through_what_an_agency_took_over",
    ),
    Mutation(
        "a wait that a supplement tells of is told a second time by its steps, and lasts longer",
        "connectors/onestop/national_format.py",
        "not_there=theirs or before_receipt)",
        "not_there=before_receipt)",
        "tests/connectors/onestop/test_national_format.py::"
        "test_a_listed_supplement_is_believed_before_the_steps_of_its_time",
    ),
    Mutation(
        "what was sent upstream as finished, without a day, raises no flag",
        "collector/flags.py",
        "day = local_day(told // _MILLION) if completed is None else completed",
        "day = completed or 0",
        "tests/connectors/onestop/test_two_sources.py::"
        "test_what_waits_or_was_stopped_at_home_and_is_finished_upstream_is_flagged",
    ),
    Mutation(
        "three digits behind the comma of a count are its decimals",
        "collector/audit/number.py",
        'as_decimal = kind == "share" or (marks[0] == "," and kind != "count")',
        'as_decimal = kind == "share" or marks[0] == ","',
        "tests/audit/test_number.py::test_a_printed_number_is_read",
    ),
    Mutation(
        "a printed percentage is right whenever it is within half a point",
        "collector/audit/line.py",
        'elif verdict == "wrong":',
        'elif verdict == "wrong" and abs(exact - printed.value) > Decimal("0.5"):',
        "tests/audit/test_line.py::test_a_percentage_is_held_against_its_counts",
    ),
    Mutation(
        "moves of rank up count, those down do not",
        "collector/audit/across.py",
        "left = abs(up - down - ties)",
        "left = abs(up - ties)",
        "tests/audit/test_across.py::test_in_a_closed_block_moves_make_up_for_each_other",
    ),
    Mutation(
        "a declared figure under what was measured passes",
        "collector/audit/measured.py",
        "within = within and ours - declared.value <= slack",
        "within = within and True",
        "tests/audit/test_measured.py::test_what_is_declared_may_be_a_tolerance_away",
    ),
)
