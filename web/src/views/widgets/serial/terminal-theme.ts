import type { ITheme } from '@xterm/xterm';
import { token } from '../../../dom/theme.ts';

const DARK: ITheme = {
  black: '#2b3a3d',
  red: '#ff8a5c',
  green: '#4cc38a',
  yellow: '#f0b840',
  blue: '#6fb3ea',
  magenta: '#c79bf2',
  cyan: '#45d6c8',
  white: '#c8d4d5',
  brightBlack: '#7f9296',
  brightRed: '#ffab87',
  brightGreen: '#7ddcae',
  brightYellow: '#f7d37f',
  brightBlue: '#9ccdf5',
  brightMagenta: '#dcc0f8',
  brightCyan: '#86e8de',
  brightWhite: '#ffffff',
};
const LIGHT: ITheme = {
  black: '#16262a',
  red: '#b83a06',
  green: '#0d7d54',
  yellow: '#8a5a00',
  blue: '#1c5f9c',
  magenta: '#7a3fa8',
  cyan: '#0a7a78',
  white: '#8b9a9d',
  brightBlack: '#566b70',
  brightRed: '#d5500f',
  brightGreen: '#12905f',
  brightYellow: '#9c6a0a',
  brightBlue: '#2a78b8',
  brightMagenta: '#9455c4',
  brightCyan: '#0a8f8a',
  brightWhite: '#41565a',
};

/** Colours of a terminal as the console is now. */
export function terminalTheme(): ITheme {
  const dark = document.documentElement.dataset['bsTheme'] !== 'light';
  return {
    ...(dark ? DARK : LIGHT),
    background: dark ? '#070c0d' : '#ffffff',
    foreground: token('wv-text'),
    cursor: token('wv-accent'),
    cursorAccent: dark ? '#070c0d' : '#ffffff',
    selectionBackground: dark ? '#1f5a5c' : '#bfe6e2',
    scrollbarSliderBackground: `${token('wv-line-strong')}aa`,
    scrollbarSliderHoverBackground: token('wv-line-strong'),
    scrollbarSliderActiveBackground: token('wv-faint'),
  };
}
