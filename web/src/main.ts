import './styles/index.css';
import { startApp } from './app/start.ts';

// Addresses without `#` (typed, or made by other programs) lead to the same places.
if (location.pathname !== '/') history.replaceState(null, '', `/#${location.pathname}${location.search}`);

void startApp(document.getElementById('app')!);
