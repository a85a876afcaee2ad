// Samples as pictures or texts, by expert or class; a click shows one large, with what an expert looked at.

function galleryState(card) {
  const { view, state } = card, full = d3.range(view.names.length).filter((of) => view.items.some((item) => item.of === of));
  if (state.of == null) state.of = full.length > 12 ? full[0] : -1;
  return Object.assign(state, { full });
}

const ofName = (view, of) => `${view.label ? view.label + ' ' : ''}${view.names[of]}`;

function drawGallery(box, card) {
  const { view } = card, { of, full } = galleryState(card);
  for (const group of of < 0 ? full : [of]) {
    const items = view.items.filter((item) => item.of === group);
    box.append(h('section', { class: 'group' }, h('h4', null, ofName(view, group)),
      h('div', { class: items.some((item) => item.picture) ? 'pictures' : 'texts' }, items.map((item) => thumbnail(view, item)))));
  }
  if (!view.items.length) box.append(h('p', { class: 'say' }, 'No samples.'));
}

function thumbnail(view, item) {
  return h('button', { type: 'button', class: 'sample', click: () => openSample(view, item) },
    item.picture ? h('img', { src: item.picture, alt: `sample ${item.sample}` }) : h('q', null, item.text || 'no picture, no text'),
    h('small', null, item.caption || `sample ${item.sample}`));
}

function galleryControls(card) {
  const { view } = card, state = galleryState(card);
  if (state.full.length < 2) return [];
  return [picker('show', [[-1, 'all'], ...state.full.map((i) => [i, ofName(view, i)])], state.of, (of) => { state.of = of; redraw(card); })];
}

// Of a sample that is shown large, what of its attention: one finds it again at the next sample.
const looked = { map: 'received', block: -1, head: -1 };

// Shares of the tokens, the class token's apart; -1 stands for the mean of all blocks, or heads.
function sharesOf(view, item) {
  const { received, rollout } = item.attention, one = (list, at) => (at >= 0 && at < list.length ? [list[at]] : list);
  const maps = looked.map === 'rollout' ? [rollout] : one(received, looked.block).flatMap((heads) => one(heads, looked.head));
  const shares = maps[0].map((_, i) => d3.mean(maps, (map) => map[i]));
  return view.attention.class_token ? { tokens: shares.slice(1), class: shares[0] } : { tokens: shares, class: null };
}

// A sample by itself: the arrow keys go on to the next ones.
function openSample(view, item) {
  const dialog = document.getElementById('mot-dialog'), group = view.items.filter((other) => other.of === item.of);
  const stage = h('div', { class: 'stage' }), controls = h('div', { class: 'controls' }), at = group.indexOf(item);
  const show = () => {
    stage.replaceChildren(...sampleParts(view, item));
    controls.replaceChildren(...(item.attention ? lookControls(view, item, show) : []));
  };
  const go = (move) => {
    const next = group[at + move];
    if (!next) return;
    openSample(view, next);
    (dialog.querySelector(`[data-move="${move}"]:enabled`) || dialog.querySelector('.close')).focus();
  };
  const step = (move, text) => h('button', { type: 'button', 'data-move': move, disabled: !group[at + move], click: () => go(move) }, text);
  show();
  dialog.replaceChildren(
    h('form', { method: 'dialog' }, h('button', { class: 'close', 'aria-label': 'Close' }, '×')),
    h('h3', null, `Sample ${say(item.sample)} · ${ofName(view, item.of)}`), h('p', { class: 'say' }, item.caption || ''), controls, stage,
    h('p', { class: 'walk' }, step(-1, '← before'), ` ${at + 1} of ${group.length} `, step(1, 'next →'),
      item.attention ? h('button', { type: 'button', class: 'quiet', click: () => download(`${view.id}-sample${item.sample}.csv`, csvText(lookTable(view, [item]))) }, 'CSV') : null));
  dialog.onkeydown = (event) => {
    if (event.target.closest('select, input')) return;
    if (event.key === 'ArrowLeft') go(-1);
    if (event.key === 'ArrowRight') go(1);
  };
  if (!dialog.open) dialog.showModal();
}

// What of the attention is shown; the focus stays on what was used.
function lookControls(view, item, show) {
  const { received } = item.attention, change = (name) => (value) => {
    looked[name] = value;
    show();
    const again = document.querySelector(`#mot-dialog [data-look="${name}"]`);
    if (again) (again.querySelector('select, [aria-pressed="true"]') || again).focus();
  };
  const named = (name, element) => { element.dataset.look = name; return element; };
  const choice = (name, count) => named(name, picker(name, [[-1, 'mean'], ...d3.range(count).map((i) => [i, String(i)])], Math.min(looked[name], count - 1), change(name)));
  const detailed = looked.map === 'received';
  return [named('map', segmented('Attention', [['received', 'attention'], ['rollout', 'rollout'], ['none', 'none']], looked.map, change('map'))),
    detailed && received.length > 1 ? choice('block', received.length) : null, detailed && received[0].length > 1 ? choice('head', received[0].length) : null].filter(Boolean);
}

// The sentence below: how much the strongest has, so that colours are numbers.
function lookSentence(view, { tokens, class: own }) {
  const place = (name, count) => (count < 2 ? [] : [looked[name] < 0 || looked[name] >= count ? `the mean of ${count} ${name}s` : `${name} ${looked[name]}`]);
  const { blocks, heads } = view.attention, what = looked.map === 'rollout' ? ['Attention rollout'] : ['Attention', ...place('block', blocks), ...place('head', heads)];
  return `${what.join(', ')}: the strongest has ${percent(d3.max(tokens))}, where even would be ${percent((1 - (own || 0)) / tokens.length)}.` + (own == null ? '' : ` The class token keeps ${percent(own)}.`);
}

function sampleParts(view, item) {
  const shares = item.attention && looked.map !== 'none' ? sharesOf(view, item) : null;
  return [item.picture ? pictureOf(view, item, shares) : null, item.text ? textOf(view, item, shares) : null,
    shares && !(item.picture ? view.attention.rows : item.attention.pieces) ? shareBars(shares.tokens) : null,
    shares ? h('p', { class: 'say look' }, lookSentence(view, shares)) : null].filter(Boolean);
}

// A picture, and over it its patches, the stronger the more they are looked at.
function pictureOf(view, item, shares) {
  const frame = h('div', { class: 'large' }, h('img', { src: item.picture, alt: `sample ${item.sample}` }));
  if (!shares || !view.attention.rows) return frame;
  const { rows, columns } = view.attention, most = d3.max(shares.tokens) || 1;
  const cover = d3.select(frame).append('svg').attr('viewBox', `0 0 ${columns} ${rows}`).attr('preserveAspectRatio', 'none').attr('role', 'img').attr('aria-label', lookSentence(view, shares));
  shares.tokens.forEach((share, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    cover.append('rect').attr('x', column).attr('y', row).attr('width', 1).attr('height', 1).attr('fill-opacity', 0.8 * share / most)
      .append('title').text(`patch ${row}, ${column}: ${percent(share)}`);
  });
  return frame;
}

// A text, its words (or letters) as dark as they are looked at.
function textOf(view, item, shares) {
  if (!shares || !item.attention.pieces) return h('blockquote', null, item.text);
  const most = d3.max(shares.tokens) || 1;
  return h('blockquote', { class: 'shaded' }, item.attention.pieces.flatMap((piece, i) => {
    const mark = h('mark', { title: percent(shares.tokens[i]) }, piece);
    mark.style.setProperty('--strength', Math.round(100 * shares.tokens[i] / most) + '%');
    return i ? [view.attention.between, mark] : [mark];
  }));
}

// Tokens that are neither patches nor words: one bar each, in order.
function shareBars(shares) {
  const svg = d3.create('svg').attr('class', 'weights').attr('viewBox', `0 0 ${shares.length} 10`).attr('preserveAspectRatio', 'none').attr('role', 'img').attr('aria-label', 'attention, token by token');
  const most = d3.max(shares) || 1;
  shares.forEach((share, i) => svg.append('rect').attr('x', i + 0.1).attr('width', 0.8).attr('y', 10 - 10 * share / most).attr('height', 10 * share / most)
    .append('title').text(`token ${i}: ${percent(share)}`));
  return svg.node();
}

// A row a token, map by map; the class token is -1.
function lookTable(view, items) {
  const { blocks, heads, class_token: own, columns } = view.attention, name = (at, list, all) => (list.length < all ? 'mean' : at);
  const rowsOf = (item, block, head, map) => map.map((share, i) => {
    const token = i - (own ? 1 : 0), patch = columns && token >= 0;
    return [view.names[item.of], item.sample, block, head, token, patch ? Math.floor(token / columns) : null, patch ? token % columns : null,
      token >= 0 && item.attention.pieces ? item.attention.pieces[token] : null, share];
  });
  return { columns: ['of', 'sample', 'block', 'head', 'token', 'row', 'column', 'piece', 'share'],
    rows: items.flatMap((item) => [
      ...item.attention.received.flatMap((maps, b) => maps.flatMap((map, i) => rowsOf(item, name(b, item.attention.received, blocks), name(i, maps, heads), map))),
      ...rowsOf(item, 'rollout', null, item.attention.rollout)]) };
}

function galleryTable(view) {
  return { columns: ['of', 'sample', 'caption', 'text'], rows: view.items.map((item) => [view.names[item.of], item.sample, item.caption, item.text]) };
}
