// The contents of GraphiQL's editors, as the page itself changes them.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import type { Example } from './examples';

const FONT = 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace';

// Empties every tab's response when the epoch is another one: what one role was told is not shown to the next.
export function Editors({ epoch }: { epoch: object }) {
  const { stop, updateActiveTabValues } = useGraphiQLActions();
  const tabs = useGraphiQL((state) => state.tabs);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  const responseEditor = useGraphiQL((state) => state.responseEditor);
  const seen = useRef(epoch);

  useEffect(() => {
    for (const editor of [queryEditor, variableEditor, headerEditor, responseEditor]) {
      editor?.updateOptions({ fontFamily: FONT, fontSize: 14 });
    }
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);

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

// Opens an example in a tab of its own.
export function useOpenExample(): (example: Example) => void {
  const { addTab, updateActiveTabValues } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);

  return ({ query, variables }) => {
    addTab();
    updateActiveTabValues({ query, variables });
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
    queryEditor?.focus();
  };
}
