import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type DragEvent } from 'react';
import { Checkbox } from 'react-aria-components';
import type { Schema } from '../../client/client';
import { newRequest as texts } from '../../strings/new-request';
import { Button } from '../../ui/button';
import { byteSize } from '../../ui/format';
import { Visible } from '../../ui/literal';
import { Problem } from '../../ui/problem';
import { putFile } from './uploads';
import styles from './new-request.module.css';

type Reference = Schema<'ArtifactReference'>;

interface FilesProps {
  files: readonly Reference[];
  undo: readonly string[];
  onAdded: (file: Reference) => void;
  onRemove: (name: string) => void;
  onUndo: (name: string, undoes: boolean) => void;
  onBusy: (busy: boolean) => void;
}

const text = texts.files;

/** Files by drop or picker; each is sent at once, by the digest that was computed here. */
export function FilesField({ files, undo, onAdded, onRemove, onUndo, onBusy }: FilesProps) {
  const [sending, setSending] = useState<string>();
  const send = useMutation({
    mutationFn: async (chosen: readonly File[]) => {
      onBusy(true);
      for (const file of chosen) {
        setSending(file.name);
        onAdded(await putFile(file));
      }
    },
    onSettled: () => {
      setSending(undefined);
      onBusy(false);
    },
  });
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (chosen: FileList | null) => {
    setOver(false);
    if (chosen && chosen.length > 0) send.mutate([...chosen]);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    take(event.dataTransfer.files);
  };
  const hover = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  return (
    <div className={styles.files}>
      {files.length > 0 && (
        <ul className={styles.fileList} aria-label={text.list}>
          {files.map((file) => (
            <FileRow key={file.name} file={file} undoes={undo.includes(file.name)} onRemove={onRemove} onUndo={onUndo} />
          ))}
        </ul>
      )}
      <div className={styles.drop} data-over={over} onDragOver={hover} onDragLeave={() => setOver(false)} onDrop={drop}>
        <span>{text.drop}</span>
        <Button onPress={() => input.current?.click()}>{text.choose}</Button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          onChange={({ target }) => {
            take(target.files);
            // The same file again is another choice.
            target.value = '';
          }}
        />
      </div>
      <p className={styles.hint} role="status">
        {sending === undefined ? text.hint : text.sending(sending)}
      </p>
      {send.isError && <Problem fault={send.error} />}
    </div>
  );
}

interface RowProps extends Pick<FilesProps, 'onRemove' | 'onUndo'> {
  file: Reference;
  undoes: boolean;
}

function FileRow({ file, undoes, onRemove, onUndo }: RowProps) {
  return (
    <li className={styles.file}>
      <span className={styles.fileName}>
        <Visible text={file.name} />
      </span>
      <span className={styles.hint}>
        {byteSize(file.size)} · {file.media_type} ·{' '}
        <code title={`${text.digest} ${file.sha256}`}>{file.sha256.slice(0, 12)}</code>
      </span>
      <Checkbox isSelected={undoes} onChange={(chosen) => onUndo(file.name, chosen)} className={styles.check} aria-label={text.undoesOf(file.name)}>
        <span className={styles.box} aria-hidden />
        {text.undoes}
      </Checkbox>
      <Button kind="quiet" label={text.removeOf(file.name)} onPress={() => onRemove(file.name)}>
        {text.remove}
      </Button>
    </li>
  );
}
