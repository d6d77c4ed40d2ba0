// The entry: styles, the theme of the reader or of the page around, and the app.

import '../theme/tokens.css';
import '../ui/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { applyLook } from './look.ts';

applyLook();

const root = document.getElementById('jaeger-ui-root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
