import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { audit } from '../../strings/audit';
import { Button } from '../../ui/button';
import { Problem } from '../../ui/problem';
import { fromServer, wholeTable } from './csv';
import { download } from './download';
import type { AuditFilter } from './search';
import styles from './audit.module.css';

/** The whole search as a table, in the order in which it is shown. */
export function Export({ filter }: { filter: AuditFilter }) {
  const text = audit.csv;
  const [leaves, setLeaves] = useState(0);
  const stop = useRef<AbortController>(undefined);
  const make = useMutation({
    mutationFn: async () => {
      stop.current = new AbortController();
      setLeaves(0);
      const { signal } = stop.current;
      const table = await wholeTable(fromServer(filter, signal), setLeaves, signal);
      download(text.file, table, 'text/csv');
    },
  });
  const stopped = make.error instanceof DOMException && make.error.name === 'AbortError';
  return (
    <div className={styles.export}>
      <Button busy={make.isPending} onPress={() => make.mutate()}>
        {text.export}
      </Button>
      {make.isPending && (
        <Button kind="quiet" onPress={() => stop.current?.abort()}>
          {text.stop}
        </Button>
      )}
      <span role="status" className={styles.quiet}>
        {make.isPending && text.busy(leaves)}
        {make.isSuccess && text.done(leaves)}
      </span>
      {make.isError && !stopped && <Problem fault={make.error} />}
    </div>
  );
}
