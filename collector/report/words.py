"""The words of a report, Vietnamese and English: states, sources of points, columns of evidence, and the legend."""

from collections.abc import Mapping

from collector.contract.reading import Reading

Words = tuple[str, str]
"""Vietnamese, English."""

LIKE_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula (OWASP ASVS 1.2.10, and its wide forms)."""

NOT_SEALED: Words = ("số liệu chưa chốt", "not sealed")

STATES: Mapping[str, Words] = {
    "measured": ("đo đủ", "measured"),
    "partial": ("chưa đủ", "partial"),
    "missing": ("thiếu", "missing"),
    "not_applicable": ("không áp dụng", "not applicable"),
    "declared": ("tự khai", "declared"),
    "suppressed": ("không nêu", "suppressed"),
}
"""What stands in the place of a figure that is none, or may not be told."""

SOURCES: Mapping[str, Words] = {
    "machine": ("máy ghi", "machine"),
    "clerk": ("cán bộ đánh dấu", "clerk"),
    "register": ("danh mục", "register"),
    "declared": ("tự khai", "declared"),
}
"""What points rest on."""

PARTS: tuple[Words, Words] = (
    ("Chỉ số tính điểm", "figures that give points"),
    ("Chỉ số theo dõi, không tính điểm", "other figures, without points"),
)
"""The figures of an agency's page."""

BETTER: Mapping[str, Words] = {
    "higher": ("càng cao càng tốt", "higher"),
    "lower": ("càng thấp càng tốt", "lower"),
}
"""Which way is better."""

VERDICTS: Mapping[str, Words] = {
    "hit": ("đạt", "hit"),
    "miss": ("không đạt", "miss"),
    "unknown": ("không xét được", "unknown"),
}

COLUMNS: Mapping[str, Words] = {
    "source": ("nguồn", "source"),
    "key": ("mã bản ghi", "key"),
    "day": ("ngày tính", "day"),
    "verdict": ("kết luận", "verdict"),
    "hits": ("đạt", "hits"),
    "judged": ("xét", "judged"),
    "unknown": ("không xét được", "unknown"),
    "document": ("văn bản", "document"),
    "scope": ("phạm vi", "scope"),
    "sent_electronically": ("gửi điện tử", "sent electronically"),
    "paper_too": ("kèm bản giấy", "paper too"),
    "signed": ("ký số", "signed"),
    "recalled": ("thu hồi", "recalled"),
    "refused": ("từ chối", "refused"),
    "received": ("đã tiếp nhận", "received"),
    "source_status": ("trạng thái ở nguồn", "status at the source"),
    "sent_day": ("ngày gửi", "sent"),
    "received_day": ("ngày tiếp nhận", "received"),
    "due_day": ("hạn", "due"),
    "due": ("hẹn trả", "due"),
    "due_basis": ("cơ sở của hạn", "basis of due date"),
    "effective_due_day": ("hạn có hiệu lực", "effective due"),
    "paused_on_due": ("tạm dừng khi đến hạn", "paused when due"),
    "completed_day": ("ngày có kết quả", "completed"),
    "completed": ("thời điểm có kết quả", "completed"),
    "ended_day": ("ngày rút, dừng, từ chối", "ended"),
    "outcome": ("kết cục", "outcome"),
    "procedure": ("thủ tục", "procedure"),
    "offered_level": ("mức độ", "level offered"),
    "level": ("mức độ", "level"),
    "listed": ("trong danh mục", "listed"),
    "from_day": ("từ ngày", "from"),
    "channel": ("kênh nộp", "channel"),
    "digitised": ("số hóa", "digitised"),
    "electronic_result": ("kết quả điện tử", "electronic result"),
    "payment": ("thanh toán", "payment"),
    "planned": ("theo kế hoạch", "planned"),
    "excused": ("bảo trì", "excused"),
}
"""The columns of evidence by their names."""

_LEVELS = {"information": "cung cấp thông tin", "partial": "một phần", "full": "toàn trình"}

VALUES: Mapping[str, Mapping[str, str]] = {
    "scope": {"internal": "trong tỉnh", "external": "ngoài tỉnh"},
    "channel": {"counter": "trực tiếp", "online": "trực tuyến", "post": "bưu chính"},
    "outcome": {
        "open": "đang giải quyết",
        "completed": "đã có kết quả",
        "refused_at_intake": "từ chối tiếp nhận",
        "refused_after": "từ chối giải quyết",
        "withdrawn": "rút hồ sơ",
        "stopped": "dừng giải quyết",
    },
    "payment": {"none": "không thu", "online": "trực tuyến", "otherwise": "cách khác"},
    "due_basis": {"first": "hẹn lần đầu", "history": "lịch sử ở nguồn", "current": "chỉ biết hạn hiện nay"},
    "offered_level": _LEVELS,
    "level": _LEVELS,
}
"""The words of this program in columns of evidence; what sources write stays as they write it."""

YES_OR_NO = frozenset(
    {"sent_electronically", "paper_too", "signed", "recalled", "refused", "received", "paused_on_due", "listed"}
    | {"digitised", "electronic_result"}
)
"""Columns of evidence that hold 0, 1 or nothing."""

REASONS: Mapping[str, Words] = {
    "late": ("dữ liệu đến muộn", "late records"),
    "source-changed": ("nguồn đã sửa", "changed at the source"),
    "source-deleted": ("nguồn đã xóa", "deleted at the source"),
    "formula": ("sửa công thức", "formula mended"),
    "definition": ("đổi định nghĩa", "definition changed"),
    "correction": ("đính chính", "correction"),
}
"""Why a sealed period was stated anew."""

LEGEND: tuple[tuple[Words, Words], ...] = (
    (
        ("Điểm", "Points"),
        (
            "điểm của các tiêu chí đã đo đủ, tối đa 1.000 cho mỗi khối; làm tròn một lần ở cuối, nửa lên, 2 số lẻ",
            "of the criteria that are measured, 1,000 at most in each block; rounded once at the end, half up",
        ),
    ),
    (
        ("Khoảng điểm", "Interval of points"),
        (
            "phần thiếu hoặc chưa đủ có thể còn thêm từ 0 đến tối đa; khoảng bằng 0 thì điểm đã chắc chắn",
            "what is missing or partial may still add from nothing to its maximum",
        ),
    ),
    (
        ("Khoảng hạng", "Interval of ranks"),
        (
            "thứ hạng tốt nhất và kém nhất còn có thể, xét theo khoảng điểm của các cơ quan cùng khối",
            "the best and the worst rank that is still possible, by the intervals of all in the block",
        ),
    ),
    (
        ("Tỷ lệ đo được", "Share measured"),
        (
            "phần điểm dựa trên chỉ số đã đo đủ; dưới mức tối thiểu của mô hình thì không xếp hạng",
            "share of the points that rests on measured figures; under the model's minimum there is no rank",
        ),
    ),
    (
        ("Tỷ lệ đo bằng máy", "Share measured by machine"),
        (
            "phần điểm chỉ dựa trên dữ liệu máy tự ghi, không kể cán bộ đánh dấu, biên chế và nội dung tự khai",
            "share that rests on what machines alone recorded: no clerk's marks, headcounts or declared items",
        ),
    ),
    (
        ("Thay đổi", "Change"),
        (
            "số bậc lên (+) hoặc xuống (−) so với kỳ trước; để trống khi một trong hai thứ hạng chưa chắc chắn",
            "places up (+) or down (−) against the period before; empty unless both ranks are settled",
        ),
    ),
    (
        ("Cần thêm", "To gain a place"),
        (
            "số mục đạt cần thêm (−: bớt) ở riêng tiêu chí đó để lên một hạng, các cơ quan khác giữ nguyên",
            "how many more hits (−: fewer) in that criterion alone would give a better rank, all else being equal",
        ),
    ),
    (
        ("Đạt / xét / không xét được", "Hits / judged / unknown"),
        (
            "tỷ lệ = đạt / xét; mục không xét được (nguồn không cho biết) không tính vào tỷ lệ mà được nêu riêng",
            "the share is hits / judged; items that cannot be judged are told beside it and are no part of it",
        ),
    ),
    (
        ("Đến ngày", "Through"),
        (
            "ngày cuối cùng mà mọi nguồn cần thiết đã được đọc",
            "the last day that every source which the figure needs has covered",
        ),
    ),
    (
        ("đo đủ", "measured"),
        ("mọi ngày của kỳ đã được đọc", "every day of the period is covered"),
    ),
    (
        ("chưa đủ", "partial"),
        (
            "có ngày chưa đọc được, hoặc quá nhiều mục không xét được: có số đếm nhưng chưa công bố tỷ lệ",
            "days are not covered, or too many items cannot be judged: there are counts, but no share is published",
        ),
    ),
    (
        ("thiếu", "missing"),
        (
            "không có dữ liệu để đo. Thiếu không phải là 0",
            "there are no records to measure by. Missing is not zero",
        ),
    ),
    (
        ("không áp dụng", "not applicable"),
        (
            "đã đọc đủ và không có gì để xét; điểm của tiêu chí chia cho các tiêu chí khác",
            "covered, and there was nothing to judge; its points are spread over the other criteria",
        ),
    ),
    (
        ("không nêu", "suppressed"),
        (
            "quá ít người đứng sau số này; điểm lấy từ nhóm nhỏ nhất được phép nêu",
            "too few persons stand behind it; its points come from the smallest group that may be told",
        ),
    ),
    (
        ("tự khai", "declared"),
        ("cơ quan tự khai, kèm minh chứng", "declared by the agency, with evidence"),
    ),
    (
        ("Cờ kiểm tra", "Integrity flags"),
        (
            "điều cần xem lại trước khi công bố; không trừ điểm, không kết luận ai sai; tính trên dữ liệu hiện có",
            "what should be looked at before publication; never points, and no verdict; from the records now stored",
        ),
    ),
    (
        ("Mười hai tháng", "Twelve months"),
        (
            "tỷ lệ từng tháng, từ 0 đến 100 %; dấu × là tháng không có tỷ lệ được công bố, không phải 0",
            "the share of each month, from 0 to 100 %; × is a month without a published share, not zero",
        ),
    ),
)
"""What the columns and words of a report mean."""


def look(one: Reading) -> str:
    """The state by which a figure is told; `suppressed` where it is measured and may not be."""
    return "suppressed" if one.suppressed and one.state == "measured" else one.state
