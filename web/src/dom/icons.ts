import { html, svg, type TemplateResult } from 'lit-html';

const PATHS = {
  bell: svg`<path d="M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 1.500h-15zM10 20.500a2 2 0 0 0 4 0" />`,
  live: svg`<path d="M3 6h10M3 12h18M3 18h13"/><circle cx="18.5" cy="6" r="2.2" fill="currentColor" stroke="none"/>`,
  hosts: svg`<rect x="3" y="4" width="18" height="7" rx="1.8"/><rect x="3" y="13" width="18" height="7" rx="1.8"/><path d="M7 7.5h.01M7 16.5h.01M11 7.5h6M11 16.5h6"/>`,
  instances: svg`<path d="M12 3 20 7.5v9L12 21l-8-4.5v-9z"/><path d="M4 7.5 12 12l8-4.5M12 12v9"/>`,
  compute: svg`<rect x="3.500" y="4" width="17" height="16" rx="2.500"/><path d="m7.500 9 3 3-3 3M13 15.500h4"/>`,
  ledger: svg`<path d="M5 3.500h12a2 2 0 0 1 2 2v15H7a2 2 0 0 1-2-2zM5 18.500a2 2 0 0 1 2-2h12M9 8h6M9 11.500h6"/>`,
  images: svg`<ellipse cx="12" cy="6" rx="8" ry="3"/><path d="M4 6v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3"/>`,
  move: svg`<path d="M3 8h15M14 4l4 4-4 4M21 16H6M10 12l-4 4 4 4"/>`,
  bin: svg`<path d="M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5"/>`,
  jobs: svg`<path d="M13 3 5 14h6l-1 7 8-11h-6z"/>`,
  help: svg`<circle cx="12" cy="12" r="9"/><path d="M9.5 9.3a2.6 2.6 0 1 1 3.6 2.5c-.7.3-1.1.9-1.1 1.7M12 16.8h.01"/>`,
  auto: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor"/>`,
  dark: svg`<path d="M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.500 10.500z"/>`,
  light: svg`<circle cx="12" cy="12" r="4"/><path d="M12 2.500v2.500M12 19v2.500M4.200 4.200 6 6M18 18l1.800 1.800M2.500 12H5M19 12h2.500M4.200 19.800 6 18M18 6l1.800-1.800"/>`,
  out: svg`<path d="M14 4H6v16h8M10 12h11M17.500 8.500 21 12l-3.500 3.500"/>`,
  facets: svg`<path d="M4 5h16M4 5l6.500 7.500V19l3-1.800v-4.700L20 5"/>`,
  star: svg`<path d="m12 4 2.500 5.200 5.700.8-4.100 4 1 5.700-5.100-2.700-5.100 2.700 1-5.700-4.100-4 5.700-.8z"/>`,
  view: svg`<path d="M4 6h9M17 6h3M4 12h3M11 12h9M4 18h11M19 18h1"/><circle cx="15" cy="6" r="2"/><circle cx="9" cy="12" r="2"/><circle cx="17" cy="18" r="2"/>`,
  clock: svg`<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5.200l3.500 2"/>`,
  split: svg`<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M12 4v16"/>`,
  search: svg`<circle cx="10.500" cy="10.500" r="6.500"/><path d="m15.500 15.500 5 5"/>`,
  pause: svg`<path d="M8 5v14M16 5v14"/>`,
  play: svg`<path d="M7 4.500v15l12-7.500z"/>`,
  close: svg`<path d="M6 6l12 12M18 6 6 18"/>`,
  link: svg`<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10a4 4 0 0 0-6-.4l-3 3A4 4 0 0 0 10.700 18.300l1.500-1.500"/>`,
  chevron: svg`<path d="m9 5 7 7-7 7"/>`,
  down: svg`<path d="m5 9 7 7 7-7"/>`,
  more: svg`<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3"/>`,
  check: svg`<path d="m4.500 12.500 5 5 10-11"/>`,
  warn: svg`<path d="M12 4 2.800 20h18.400z"/><path d="M12 10v4.500M12 17.300h.01"/>`,
  radar: svg`<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="4.500"/><path d="M12 12 18.500 6"/>`,
  copy: svg`<rect x="8.500" y="8.500" width="12" height="12" rx="2"/><path d="M15.500 8.500v-3a2 2 0 0 0-2-2h-8a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h3"/>`,
  prompt: svg`<rect x="3" y="4" width="18" height="16" rx="2"/><path d="m7 9 3 3-3 3M12.500 15.500H17"/>`,
  pin: svg`<path d="M9 3h6l-1 7 4 4H6l4-4zM12 14v7"/>`,
  panel: svg`<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M15 4v16"/>`,
  download: svg`<path d="M12 4v11M7 10.500l5 5 5-5M4.500 20h15"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  interrupt: svg`<circle cx="12" cy="12" r="9"/><path d="M9.500 9.500h5v5h-5z" fill="currentColor"/>`,
  stop: svg`<rect x="6" y="6" width="12" height="12" rx="1.500"/>`,
  restart: svg`<path d="M19.500 12a7.500 7.500 0 1 1-2.200-5.300L20 9M20 4v5h-5"/>`,
} as const;

export type IconName = keyof typeof PATHS;

/** A line icon of our own set, drawn in the colour of the text; decorative, so hidden from screen readers. */
export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${PATHS[name]}</svg>`;
}

/** The mark: a W whose middle peak is a live signal. */
export function logo(): TemplateResult {
  return html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect class="logo-ground" width="32" height="32" rx="8" />
    <path class="logo-mark" d="M5 9.500 10.200 23 16 12.500 21.800 23 27 9.500" />
    <circle class="logo-light" cx="16" cy="7.200" r="2.200" />
  </svg>`;
}
