/* Frames that came in columns, as rows: each name was sent once a frame, what all rows share once (see feeds/columns.py). */

const SEQ_DIGITS = 12;

/** The frame with `rows`; one that has rows already, or none at all, stays as it is. */
export function withRows(frame) {
  if (!frame.columns) return frame;
  const { count, columns, ...rest } = frame;
  const names = Object.keys(columns);
  const at = (name, i) => (Array.isArray(columns[name]) ? columns[name][i] : columns[name]);
  const rows = Array.from({ length: count }, (_, i) => {
    const row = {};
    for (const name of names) row[name] = at(name, i);
    row.event_id ??= eventId(row);
    return row;
  });
  return { ...rest, rows };
}

/** As `event_id` of pipeline_queue.events makes it. */
function eventId({ producer, seq }) {
  return `${producer}-${String(seq).padStart(SEQ_DIGITS, "0")}`;
}
