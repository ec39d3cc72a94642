import { StrictMode, Suspense, lazy } from 'react';
import { createRoot } from 'react-dom/client';
import './style.css';

declare const __PAGE__: 'module' | 'portal';

// A tab that was opened before a release asks for parts that no host has any more: the newest page has them.
window.addEventListener('vite:preloadError', (event) => {
  const reloaded = 'nexus-reloaded';
  if (sessionStorage.getItem(reloaded)) return;
  sessionStorage.setItem(reloaded, 'yes');
  event.preventDefault();
  location.reload();
});

const Page = __PAGE__ === 'portal' ? lazy(() => import('./Portal')) : lazy(() => import('./Module'));

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Suspense fallback={<p className="wait">Loading …</p>}>
      <Page />
    </Suspense>
  </StrictMode>,
);
