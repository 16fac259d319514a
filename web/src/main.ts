// The way in: sets up what must come first, then loads the page, or says why it cannot.
import './nonce';
import { missingFeatures } from './browser';
import { showNotice } from './notice';
import { language, texts } from './texts';

document.documentElement.lang = language;
document.title = texts.title;

const missing = missingFeatures();
if (missing.length > 0) {
  showNotice(texts.oldBrowser, texts.oldBrowserAdvice, texts.oldBrowserMissing + missing.join(', '));
} else {
  import('./page').catch((error: unknown) => {
    showNotice(texts.notLoaded, texts.notLoadedAdvice, String(error));
  });
}
