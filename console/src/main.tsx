// First, because it says the order of the layers.
import './styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { applyTheme } from './preferences';
import { installTrustedTypes } from './trusted-types';

installTrustedTypes();
applyTheme();
const place = document.getElementById('console');
if (place) {
  createRoot(place).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
