// The page: what it is about, its contents, the selectors that hold for all, and a card for each view.

const kinds = {
  heat: { draw: drawHeat, table: heatTable, controls: heatControls, wide: (view) => view.x.names.length > 14 || view.y.names.length > 40 },
  lines: { draw: drawLines, table: linesTable },
  bars: { draw: drawBars, table: barsTable, wide: (view) => view.x.names.length * view.series.length > 24 },
  scatter: { draw: drawScatter, table: scatterTable },
  flow: { draw: drawFlow, table: flowTable, controls: flowControls, wide: () => true },
  gallery: { draw: drawGallery, table: galleryTable, controls: galleryControls, wide: () => true },
  table: { draw: drawTable, table: (view) => view, plain: true, wide: (view) => view.columns.length > 4 },
};

const PAPER = 690; // pixels that a figure has in print
let cards = [];

// A card is drawn when it comes near the screen, and again when its width, a choice or the theme changes.
function redraw(card) {
  const box = card.body, width = chosen.print ? PAPER : Math.floor(box.clientWidth);
  if (width <= 0) return;
  const focused = box.contains(document.activeElement) && document.activeElement.tagName === 'svg';
  box.style.minHeight = box.offsetHeight + 'px'; // so that the page does not jump
  box.replaceChildren();
  try {
    kinds[card.view.kind].draw(box, card, width);
  } catch (error) { // one figure that cannot be drawn leaves the others
    console.error(error);
    box.replaceChildren(h('p', { class: 'absent' }, `This figure cannot be drawn: ${error.message}.`));
  }
  box.style.minHeight = '';
  card.width = width;
  card.drawn = true;
  if (focused && box.querySelector('svg')) box.querySelector('svg').focus({ preventScroll: true });
}

const nearby = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.card.near = isIntersecting;
    if (isIntersecting && (!target.card.drawn || target.card.stale)) { target.card.stale = false; redraw(target.card); }
  }
}, { rootMargin: '500px' });

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const { card } = target;
    if (!card.drawn || chosen.print || Math.abs(target.clientWidth - card.width) < 2) continue;
    if (card.near) redraw(card); else card.stale = true;
  }
});

function redrawAll() {
  for (const card of cards) if (card.drawn) { if (card.near) redraw(card); else card.stale = true; }
}

// The state of a view outlives its card: it is what one finds again after another run was looked at.
const states = new Map();

function makeCard(part, view) {
  const kind = kinds[view.kind], key = `${part.data.id} ${view.id}`;
  if (!states.has(key)) states.set(key, new Map());
  const kept = states.get(key), own = `${view.run} ${view.layer}`;
  if (!kept.has(own)) kept.set(own, { ...(kept.get('last') || {}), order: null, domain: null });
  const card = { part, view, state: kept.get(own), drawn: false, near: false };
  const shape = view.frames ? view.frames.length : view.snapshots ? view.snapshots.length : view.names ? view.names.length : 0;
  if (card.state.shape != null && card.state.shape !== shape) for (const name of ['frame', 'from', 'to', 'of']) delete card.state[name];
  card.state.shape = shape;
  kept.set('last', card.state);
  card.body = h('div', { class: 'body' });
  card.body.card = card;
  card.legend = h('div', { class: 'key' });
  const numbers = h('div', { class: 'numbers', hidden: true });
  const showNumbers = h('button', { type: 'button', class: 'quiet', 'aria-expanded': 'false', click: () => {
    numbers.hidden = !numbers.hidden;
    showNumbers.setAttribute('aria-expanded', String(!numbers.hidden));
    if (!numbers.hidden && !numbers.firstChild) numbers.append(...sortable(kind.table(view), {}, `Numbers of ${view.title}`).filter(Boolean));
  } }, 'numbers');
  const csv = h('button', { type: 'button', class: 'quiet', click: () => download(view.csv || view.id + '.csv', csvText(kind.table(view))) }, 'CSV');
  const controls = kind.controls ? kind.controls(card) : [];
  card.element = h('figure', { class: kind.wide && kind.wide(view) ? 'card wide' : 'card', id: `${part.data.id}-${view.id}` },
    h('figcaption', null, h('h3', null, ...rich(view.title)), h('div', { class: 'buttons' }, kind.plain ? null : showNumbers, csv)),
    view.note ? h('p', { class: 'note' }, rich(view.note)) : null,
    controls.length ? h('div', { class: 'controls' }, controls) : null, card.legend, card.body, numbers);
  nearby.observe(card.body);
  resized.observe(card.body);
  return card;
}

function makePart(content) {
  const part = { data: content, cards: [], views: h('div', { class: 'views' }) };
  // A slider of one view moves the others of its part to the same step.
  part.show = ({ step }, from) => { for (const card of part.cards) if (card !== from && card.goTo && step != null) card.goTo(step); };
  const facts = [['denominator', content.denominator], ['interval', content.interval]].filter(([, text]) => text);
  part.element = h('section', { class: content.missing && !(content.views || []).length ? 'part missing' : 'part', id: content.id, 'aria-labelledby': `title-${content.id}` },
    h('h2', { id: `title-${content.id}` }, h('span', { class: 'number' }, String(content.number)), content.title),
    content.definition ? h('p', { class: 'definition' }, rich(content.definition)) : null,
    facts.length ? h('details', { class: 'counted' }, h('summary', null, 'How it is counted'),
      h('dl', null, facts.map(([name, text]) => [h('dt', null, name), h('dd', null, rich(text))]))) : null,
    content.missing ? h('p', { class: 'absent' }, rich(content.missing)) : null, part.views);
  return part;
}

const belongs = (view) => (view.run == null || view.run === chosen.run) && (view.layer == null || view.layer === chosen.layer);

// Cards stand in pairs; one that would stand beside nothing takes the whole width.
function pair(list) {
  let alone = null;
  for (const { element } of list) {
    if (!element.classList.contains('wide')) alone = alone ? null : element;
    else if (alone) { alone.classList.add('wide'); alone = null; }
  }
  if (alone) alone.classList.add('wide');
}

function fillPart(part) {
  const all = (part.data.views || []).filter((view) => kinds[view.kind]), views = all.filter(belongs);
  for (const card of part.cards) { nearby.unobserve(card.body); resized.unobserve(card.body); }
  part.cards = views.map((view) => makeCard(part, view));
  pair(part.cards);
  const none = all.length && !views.length ? [h('p', { class: 'absent' }, `Nothing here of ${data.runs[chosen.run].name}, layer ${chosen.layer}.`)] : [];
  part.views.replaceChildren(...part.cards.map((card) => card.element), ...none);
}

function fillParts() {
  hideTip();
  parts.forEach(fillPart);
  cards = parts.flatMap((part) => part.cards);
}

// What the report is about: the runs' facts beside each other, and what to look at first.
function makeHead() {
  const head = document.getElementById('mot-head'), runs = data.runs || [], warnings = data.warnings || [];
  document.title = data.title || 'mot report';
  head.replaceChildren(h('h1', null, data.title || 'mot report'),
    h('p', { class: 'made' }, [data.program, data.made && data.made.replace(/^(.{10})T(.{5}):.*Z$/, '$1 $2 UTC')].filter(Boolean).join(' · ')));
  if (warnings.length) {
    head.append(h('section', { class: 'warnings', 'aria-label': 'Warnings' }, h('h2', null, warnings.length === 1 ? 'One thing to look at first' : `${warnings.length} things to look at first`),
      h('ul', null, warnings.map((text) => h('li', null, rich(text))))));
  }
  const names = [...new Set(runs.flatMap((run) => Object.keys(run)))].filter((name) => name !== 'name');
  const text = (name) => name.replace(/_/g, ' ');
  const value = (v) => (v != null && typeof v === 'object' ? JSON.stringify(v) : say(v));
  if (runs.length === 1) {
    const fact = (name) => h('div', { class: value(runs[0][name]).length > 14 && 'long' }, h('dt', null, name === 'name' ? 'run' : text(name)), h('dd', null, value(runs[0][name])));
    head.append(h('dl', { class: 'facts' }, ['name', ...names].map(fact)));
  } else if (runs.length) {
    head.append(h('div', { class: 'table', tabindex: 0, role: 'region', 'aria-label': 'The runs' }, h('table', { class: 'runs' },
      h('thead', null, h('tr', null, h('td'), runs.map((run) => h('th', { scope: 'col' }, run.name)))),
      h('tbody', null, names.map((name) => h('tr', null, h('th', { scope: 'row' }, text(name)),
        runs.map((run) => h('td', { class: typeof run[name] === 'number' && 'number' }, value(run[name])))))))));
  }
}

function makeContents() {
  const list = h('ol', null, parts.map((part) => {
    const { id, number, title, missing, views } = part.data;
    part.link = h('a', { href: `#${id}`, class: missing && !(views || []).length ? 'none' : null }, h('span', { class: 'number' }, String(number)), title);
    return h('li', null, part.link);
  }));
  const details = h('details', null, h('summary', null, 'Contents'), list), wide = matchMedia('(min-width: 68rem)');
  const fit = () => { details.open = wide.matches; };
  wide.addEventListener('change', fit);
  fit();
  document.getElementById('mot-contents').append(details);
  const seen = new IntersectionObserver(() => {
    const line = innerHeight * 0.3;
    let current = null;
    for (const part of parts) if (part.element.getBoundingClientRect().top <= line) current = part;
    for (const part of parts) part.link.toggleAttribute('aria-current', part === current);
  }, { rootMargin: '-30% 0px -69% 0px' });
  for (const part of parts) seen.observe(part.element);
}

function makeChoices() {
  const box = document.getElementById('mot-choose'), views = parts.flatMap((part) => part.data.views || []);
  const runs = data.runs || [], layers = [...new Set(views.map((view) => view.layer).filter((layer) => layer != null))].sort((a, b) => a - b);
  if (layers.length) chosen.layer = layers[0];
  const choose = (name) => (value) => { chosen[name] = value; fillParts(); };
  if (runs.length > 1) box.append(picker('run', runs.map((run, i) => [i, run.name]), 0, choose('run')));
  if (layers.length > 1) box.append(picker('layer', layers.map((layer) => [layer, String(layer)]), layers[0], choose('layer')));
}

function makeTools() {
  const root = document.documentElement;
  const remember = (theme) => { try { localStorage.setItem('mot-report-theme', theme); } catch { /* not from this kind of address */ } };
  try { const kept = localStorage.getItem('mot-report-theme'); if (kept === 'dark' || kept === 'light') root.dataset.theme = kept; } catch { /* as above */ }
  const theme = h('button', { type: 'button', id: 'mot-theme', click: () => { root.dataset.theme = isDark() ? 'light' : 'dark'; remember(root.dataset.theme); name(); redrawAll(); } });
  const name = () => { theme.textContent = isDark() ? 'light' : 'dark'; theme.setAttribute('aria-label', `Show in ${theme.textContent} colours`); };
  darkScreen.addEventListener('change', () => { name(); redrawAll(); });
  name();
  document.getElementById('mot-tools').append(theme, h('button', { type: 'button', click: () => print() }, 'print'));
}

// On paper all is open, light, and as wide as the paper.
let opened = [];
addEventListener('beforeprint', () => {
  chosen.print = true;
  hideTip();
  opened = [...document.querySelectorAll('details:not([open])')];
  for (const details of opened) details.open = true;
  cards.forEach(redraw);
});
addEventListener('afterprint', () => {
  chosen.print = false;
  for (const details of opened) details.open = false;
  for (const card of cards) { card.stale = !card.near; if (card.near) redraw(card); }
});

const parts = (data.parts || []).map(makePart);
makeHead();
makeTools();
makeChoices();
makeContents();
document.getElementById('mot-parts').append(...parts.map((part) => part.element));
fillParts();
document.getElementById('mot-foot').append(h('p', null, 'This page is one file: it holds its numbers and asks no network. Charts: D3 (d3js.org).'));
if (location.hash) { const target = document.getElementById(decodeURIComponent(location.hash.slice(1))); if (target) target.scrollIntoView(); }
