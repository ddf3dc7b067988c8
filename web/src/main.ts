import './styles/index.css';
import { askEarly } from './net/early.ts';

// Addresses without `#` (typed, or made by other programs) lead to the same places.
if (location.pathname !== '/') history.replaceState(null, '', `/#${location.pathname}${location.search}`);

// The first answers are on their way while the program itself is still being read.
askEarly(location.hash);
const { createApp } = await import('./app.ts');
createApp({ root: document.getElementById('app')! }).start();
