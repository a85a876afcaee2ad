// What all of the page stands on: elements, numbers as text, CSV, the tip beside the pointer.

const data = JSON.parse(document.getElementById('mot-data').textContent);
document.getElementById('mot-data').remove();

// What is chosen for the whole page. `print` is true while the page is drawn for paper.
const chosen = { run: 0, layer: 0, print: false };

// An element: attributes of a function's value are listeners, null and false ones are left out.
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

// A sentence in which `words between such marks` are what one types.
function rich(text) {
  return String(text).split('`').map((piece, i) => (i % 2 ? h('code', null, piece) : piece));
}

const grouped = d3.format(',');
const short = d3.format('.4~g');
const tiny = d3.format('.3~e');

// A value as people read it: a dash for what is not defined, the sign of minus, a few digits.
function say(value) {
  if (value == null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value);
  const size = Math.abs(value);
  const text = Number.isInteger(value) ? grouped(value)
    : size < 1e-4 || size >= 1e7 ? tiny(value)
    : size >= 1000 ? grouped(Math.round(value * 10) / 10) : short(value);
  return text.replace('-', '−').replace('e−', 'e-');
}

const three = d3.format('.3~g');
const percent = (share) => (share == null ? '–' : (Math.abs(share) < 1e-5 && share !== 0 ? tiny(share * 100) : three(share * 100)).replace('-', '−') + ' %');

// Names that have no room are cut in their middle, where they differ least often.
function cut(name, length = 22) {
  const text = String(name);
  if (text.length <= length) return text;
  return text.slice(0, Math.ceil(length * 0.6) - 1) + '…' + text.slice(text.length - Math.floor(length * 0.4));
}

// A list of names with room for `length` letters: what all of them begin with goes first.
function cutAll(names, length) {
  let texts = names.map(String);
  if (texts.length > 1 && texts.some((text) => text.length > length)) {
    const words = texts[0].split(' ').slice(0, -1);
    while (words.length && !texts.every((text) => text.startsWith(words.join(' ') + ' '))) words.pop();
    if (words.length) texts = texts.map((text) => text.slice(words.join(' ').length + 1));
  }
  return texts.map((text) => cut(text, length));
}

const ruler = document.createElement('canvas').getContext('2d');
ruler.font = '12px system-ui, sans-serif';
const textWidth = (text) => ruler.measureText(text).width * 1.04;
const widest = (texts) => texts.reduce((most, text) => Math.max(most, textWidth(text)), 0);

// The place of the item of which `cost` is least, the first one of several.
function first(items, cost) {
  let best = 0, least = Infinity;
  items.forEach((item, i) => { const value = cost(item); if (value < least) { best = i; least = value; } });
  return best;
}

function csvText(table) {
  const cell = (value) => {
    const text = value == null ? '' : String(value);
    return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  };
  return [table.columns, ...table.rows].map((row) => row.map(cell).join(',') + '\n').join('');
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = h('a', { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Buttons of which one is on. `options` are [value, text] pairs.
function segmented(label, options, value, change) {
  const group = h('div', { class: 'segmented', role: 'group', 'aria-label': label });
  for (const [option, text] of options) {
    group.append(h('button', {
      type: 'button', 'aria-pressed': String(option === value),
      click: (event) => {
        for (const button of group.children) button.setAttribute('aria-pressed', String(button === event.currentTarget));
        change(option);
      },
    }, text));
  }
  return group;
}

function picker(label, options, value, change) {
  const select = h('select', { change: () => change(Number(select.value)) },
    options.map(([option, text]) => h('option', { value: option, selected: option === value }, text)));
  return h('label', { class: 'picker' }, h('span', null, label), select);
}

// The tip: a heading and lines [text, value, colour?], beside a place on the screen.
const tip = document.getElementById('mot-tip');

function showTip(x, y, heading, lines) {
  tip.replaceChildren(h('strong', null, heading), ...lines.map(([text, value, colour]) => {
    const swatch = colour ? h('i', { class: 'swatch' }) : null;
    if (swatch) swatch.style.setProperty('--c', colour);
    return h('div', null, h('span', null, swatch, text), h('b', null, value));
  }));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = x + 14 + box.width > innerWidth ? x - 14 - box.width : x + 14;
  const top = y + 14 + box.height > innerHeight ? y - 14 - box.height : y + 14;
  tip.style.left = Math.max(4, left) + 'px';
  tip.style.top = Math.max(4, top) + 'px';
}

function hideTip() { tip.hidden = true; }

// The tip again, for who hears the page.
function speak() { document.getElementById('mot-live').textContent = tip.innerText.replace(/\n+/g, ', '); }

addEventListener('scroll', hideTip, { passive: true, capture: true });
addEventListener('keydown', (event) => { if (event.key === 'Escape') hideTip(); });
