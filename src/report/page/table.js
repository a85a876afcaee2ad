// Tables: sorted by a click on a column's head, searched by a word, long ones shown in part until all is asked for.

const PART = 200, PAPER_ROWS = 30;

function compare(a, b) {
  if (a == null || b == null) return (a == null) - (b == null); // what is not defined stands last
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
}

// A table element of { columns, rows }; `state` keeps its order and how much of it is shown.
function sortable(table, state, label) {
  const numeric = table.columns.map((_, c) => table.rows.some((row) => typeof row[c] === 'number') && table.rows.every((row) => row[c] == null || typeof row[c] === 'number'));
  const holder = h('div', { class: 'table', tabindex: 0, role: 'region', 'aria-label': label }), more = h('div', { class: 'more' }), body = h('tbody');
  const heads = table.columns.map((column, c) => h('th', { scope: 'col', class: numeric[c] && 'number' },
    h('button', { type: 'button', click: () => { state.down = state.by === c && !state.down; state.by = c; fill(); } }, String(column))));
  const search = h('input', { type: 'search', placeholder: 'search', 'aria-label': 'Search the rows', value: state.word || '', input: () => { state.word = search.value; fill(); } });
  const fill = () => {
    const word = (state.word || '').toLowerCase();
    let rows = word ? table.rows.filter((row) => row.some((value) => value != null && String(value).toLowerCase().includes(word))) : table.rows.slice();
    if (state.by != null) rows.sort((a, b) => (state.down && a[state.by] != null && b[state.by] != null ? -1 : 1) * compare(a[state.by], b[state.by]));
    heads.forEach((head, c) => head.setAttribute('aria-sort', state.by !== c ? 'none' : state.down ? 'descending' : 'ascending'));
    const found = rows.length;
    if (chosen.print) rows = rows.slice(0, PAPER_ROWS);
    else if (!state.all) rows = rows.slice(0, PART);
    body.replaceChildren(...rows.map((row) => h('tr', null, row.map((value, c) => h('td', { class: numeric[c] && 'number' }, typeof value === 'string' ? rich(value) : say(value))))));
    more.replaceChildren(...(found > rows.length
      ? [`${say(rows.length)} of ${say(found)} rows `, chosen.print ? '' : h('button', { type: 'button', click: () => { state.all = true; fill(); } }, 'all')] : found ? [] : ['No rows.']));
  };
  fill();
  holder.append(h('table', null, h('thead', null, h('tr', null, heads)), body));
  return [table.rows.length > 12 ? h('div', { class: 'search' }, search) : null, holder, more];
}

function drawTable(box, card) {
  box.append(...sortable(card.view, card.state, card.view.title).filter(Boolean));
}
