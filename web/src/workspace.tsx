// GraphiQL itself, under the bar, with the transport of the role that is active.
import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN, HistoryStore } from '@graphiql/plugin-history';
import { GraphiQLProvider, useMonaco } from '@graphiql/react';
import { GraphiQL, GraphiQLInterface } from 'graphiql';
import { useEffect, useMemo, useState } from 'react';
import { Bar, type BarProps } from './bar';
import { Editors } from './editors';
import { welcome } from './examples';
import { memory } from './memory';
import { Transport } from './transport';

// GraphiQL resets its panes when this list is another one.
const PLUGINS = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

// How the panes share the page, until somebody moves them.
const SIZES = { 'graphiql:docExplorerFlex': '0.3', 'graphiql:secondaryEditorFlex': '4' };

export function Workspace({ session, identity, ...bar }: BarProps) {
  const [storage] = useState(() => memory(SIZES));
  const account = identity?.account.publicId ?? null;
  const role = identity?.role ?? null;
  // Renewed tokens are no reason for another transport; another account or role is.
  const transport = useMemo(() => new Transport(session, role), [session, account, role]);
  useEffect(() => () => transport.stop(), [transport]);
  // Beside the documentation there would be no room for the editors.
  const [isWide] = useState(() => window.matchMedia('(min-width: 700px)').matches);
  useForgottenModels();

  return (
    <div className="page" data-role={role ?? 'VISITOR'}>
      <GraphiQLProvider
        fetcher={transport.fetcher}
        storage={storage}
        plugins={PLUGINS}
        referencePlugin={DOC_EXPLORER_PLUGIN}
        {...(isWide ? { visiblePlugin: DOC_EXPLORER_PLUGIN } : {})}
        defaultQuery={welcome}
        inputValueDeprecation
        schemaDescription
      >
        <HistoryStore>
          <DocExplorerStore>
            <Editors epoch={transport} />
            <Bar session={session} identity={identity} {...bar} />
            <GraphiQLInterface defaultEditorToolsVisibility="variables" showPersistHeadersSettings={false}>
              <GraphiQL.Logo>{null}</GraphiQL.Logo>
            </GraphiQLInterface>
          </DocExplorerStore>
        </HistoryStore>
      </GraphiQLProvider>
    </div>
  );
}

// Monaco keeps what was typed after its editors are gone.
function useForgottenModels(): void {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => () => monaco?.editor.getModels().forEach((model) => model.dispose()), [monaco]);
}
