import { useId, useState, type DragEvent, type ReactNode } from 'react';
import type { Came } from '../../verify/given';
import { chosen, dropped, type Picked } from '../../verify/picked';
import styles from './verify.module.css';

interface DropZoneProps {
  title: string;
  hint: string;
  /** What can be chosen: files, and perhaps a folder. */
  choose: string;
  chooseFolder?: string;
  many?: boolean;
  state: 'waiting' | Came;
  onFiles: (files: Promise<Picked[]>) => void;
  /** What else can be done here. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A place to choose files, or to drop them. */
export function DropZone({ title, hint, choose, chooseFolder, many = false, state, onFiles, actions, children }: DropZoneProps) {
  const [over, setOver] = useState(false);
  const said = useId();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onFiles(dropped(event.dataTransfer));
  };
  const hover = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  return (
    <section className={styles.drop} data-state={state} data-over={over} onDragOver={hover} onDragLeave={() => setOver(false)} onDrop={drop}>
      <h2>{title}</h2>
      <p className={styles.quiet}>{hint}</p>
      <div className={styles.choices}>
        <FileInput label={choose} said={said} many={many} onFiles={onFiles} />
        {chooseFolder !== undefined && <FileInput label={chooseFolder} said={said} folder onFiles={onFiles} />}
        {actions}
      </div>
      <div id={said} role="status" className={styles.said}>
        {children}
      </div>
    </section>
  );
}

interface FileInputProps {
  label: string;
  said: string;
  many?: boolean;
  folder?: boolean;
  onFiles: (files: Promise<Picked[]>) => void;
}

function FileInput({ label, said, many = false, folder = false, onFiles }: FileInputProps) {
  return (
    <label className={styles.choose}>
      {label}
      <input
        type="file"
        className={styles.input}
        multiple={many}
        aria-describedby={said}
        ref={(input) => {
          if (folder) input?.setAttribute('webkitdirectory', '');
        }}
        onChange={({ currentTarget: input }) => {
          onFiles(Promise.resolve(chosen(input)));
          // So that choosing the same once more is a choice too.
          input.value = '';
        }}
      />
    </label>
  );
}
