// The contents of GraphiQL's editors, as the page itself changes them.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { welcome } from './examples';

const FONT = 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace';

// A Cyrillic letter that looks like a Latin one is no trick here.
const CYRILLIC = { ambiguousCharacters: false };

// Empties every tab's response when the epoch is another one: what one role was told is not shown to the next.
export function Editors({ epoch }: { epoch: object }) {
  const { stop, setTheme, updateActiveTabValues } = useGraphiQLActions();
  const theme = useGraphiQL((state) => state.theme);
  const tabs = useGraphiQL((state) => state.tabs);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  const responseEditor = useGraphiQL((state) => state.responseEditor);
  const seen = useRef(epoch);

  useEffect(() => {
    for (const editor of [queryEditor, variableEditor, headerEditor, responseEditor]) {
      editor?.updateOptions({ fontFamily: FONT, fontSize: 13, lineHeight: 20, wordWrap: 'on', unicodeHighlight: CYRILLIC });
    }
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);

  // GraphiQL asks for the system's theme once; the editors follow it when it changes too.
  useEffect(() => {
    const dark = window.matchMedia('(prefers-color-scheme: dark)');
    const follow = () => theme ?? setTheme(null);
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, [theme, setTheme]);

  useEffect(() => {
    if (seen.current === epoch) return;
    seen.current = epoch;
    stop();
    // GraphiQL changes only the active tab, and replaces its object; those of the others stay, so they can be written to.
    for (const tab of tabs) tab.response = null;
    updateActiveTabValues({ response: null });
    responseEditor?.setValue('');
  }, [epoch, tabs, responseEditor, stop, updateActiveTabValues]);

  return null;
}

// Opens an example in a tab of its own, or in one where nothing was written yet.
export function useOpenExample(): (query: string, variables: string) => void {
  const { addTab, stop, updateActiveTabValues } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const responseEditor = useGraphiQL((state) => state.responseEditor);

  return (query, variables) => {
    // GraphiQL runs one operation at a time for all its tabs, and a new tab would get the answers of an open subscription.
    stop();
    const written = queryEditor?.getValue().trim() ?? '';
    if (written !== '' && written !== welcome) addTab();
    updateActiveTabValues({ query, variables, response: null });
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
    responseEditor?.setValue('');
    queryEditor?.focus();
  };
}
