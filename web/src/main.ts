import './styles/index.css';
import { createApp } from './app.ts';

createApp({ root: document.getElementById('app')! }).start();
