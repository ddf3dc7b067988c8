import './styles/index.css';
import { createApp } from './app.ts';

// Addresses without `#` (typed, or made by other programs) lead to the same places.
if (location.pathname !== '/') history.replaceState(null, '', `/#${location.pathname}${location.search}`);

const app = createApp({ root: document.getElementById('app')! });
app.start();
