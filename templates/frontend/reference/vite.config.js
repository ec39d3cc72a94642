import { defineConfig } from 'vite';

// What differs between front ends comes from the environment of the build; what differs between environments of the
// platform is in config.json, which hosts serve next to the build.
const { FRONTEND_PAGE: page, FRONTEND_TITLE: title, FRONTEND_PURPOSE: purpose } = process.env;
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

export default defineConfig({
  define: { __PAGE__: JSON.stringify(page) },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    // React in a file of its own: all front ends share it, and it stays the same from release to release.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'react', test: /node_modules/ }] } } },
  },
  plugins: [
    {
      name: 'words-of-the-page',
      transformIndexHtml: (html) =>
        html.replaceAll('%TITLE%', () => escaped(title)).replaceAll('%PURPOSE%', () => escaped(purpose)),
    },
  ],
});
