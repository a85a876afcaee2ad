// Colours. Categories are near those of Okabe and Ito, which all kinds of colour vision tell apart (page.css has them, for light
// and dark, as --c0 to --c7); shares go from the paper to ink through lightness that only falls (or, in the dark, only
// rises), so that they are read without any hue; differences go from blue through the paper to orange.

const ramps = {
  light: { share: ['#f6f5f0', '#dcebd5', '#a9d6c4', '#62b3b9', '#2f86ab', '#265a92', '#242f6b', '#15123c'],
    difference: ['#0b3a75', '#2e74b5', '#8fbcdf', '#f4f3ee', '#f3b27a', '#cc6a1e', '#7d3502'] },
  dark: { share: ['#20242b', '#2b3763', '#2d5685', '#2f7a91', '#3d9f8c', '#7cc274', '#c8dc5c', '#fdf0a0'],
    difference: ['#9fd4ff', '#4d9fe0', '#2c5f93', '#262a31', '#96541c', '#e08a35', '#ffc98a'] },
};

const darkScreen = matchMedia('(prefers-color-scheme: dark)');

function isDark() {
  const wanted = document.documentElement.dataset.theme;
  return !chosen.print && (wanted ? wanted === 'dark' : darkScreen.matches);
}

// From [0, 1] to a colour.
function ramp(diverging) {
  return d3.piecewise(d3.interpolateLab, ramps[isDark() ? 'dark' : 'light'][diverging ? 'difference' : 'share']);
}

const CATEGORIES = 8;

// The colours of n lines or bars: categories while they last, then steps of one ramp.
function seriesColours(n) {
  if (n <= CATEGORIES) return d3.range(n).map((i) => `var(--c${i})`);
  const steps = ramp(false);
  return d3.range(n).map((i) => d3.rgb(steps(0.35 + 0.6 * (i / (n - 1)))).toString());
}

// What is told apart by its dashes as well.
const dashes = ['5 4', '7 3', '2 3', '9 3 2 3', '4 2', '12 4', '1 2', '6 2 1 2 1 2'];

// Black or white, whichever is read better on a colour.
function inkOn(colour) {
  const part = (value) => ((value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const { r, g, b } = d3.rgb(colour);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b) > 0.19 ? '#15171c' : '#ffffff';
}
