// The gallery alone, without the shell: `npx vite --open src/dev/gallery.html`. `?theme=dark` or `?theme=light` fixes
// the theme.

import '../theme/tokens.css';
import '../ui/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import Gallery from './gallery/route.tsx';

const theme = new URLSearchParams(location.search).get('theme');
if (theme) document.documentElement.dataset['theme'] = theme;

const root = document.getElementById('gallery-root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <Gallery />
    </StrictMode>,
  );
