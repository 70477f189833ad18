import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { Autocomplete, Input, ListBox, ListBoxItem, SearchField } from 'react-aria-components';
import { useSession } from '../session/session';
import { shell } from '../strings/shell';
import { Dialog } from './dialog';
import styles from './dialog.module.css';
import { Icon } from './icon';
import { commandsFor, type Command } from './commands';

interface PaletteProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Search over everything that can be reached or done from here. It never approves. */
export function Palette({ open, onOpenChange }: PaletteProps) {
  const { me } = useSession();
  const router = useRouter();
  const [typed, setTyped] = useState('');
  const commands = commandsFor(typed, me, router);
  const run = (command: Command | undefined) => {
    if (!command) return;
    setTyped('');
    onOpenChange(false);
    command.run();
  };
  return (
    <Dialog title={shell.palette.open} open={open} onOpenChange={onOpenChange} quietTitle>
      <Autocomplete inputValue={typed} onInputChange={setTyped}>
        <SearchField aria-label={shell.palette.label} autoFocus className={styles.field}>
          <Input className={styles.input} placeholder={shell.palette.label} />
        </SearchField>
        <ListBox
          aria-label={shell.palette.open}
          className={styles.options}
          items={commands}
          onAction={(key) => run(commands.find(({ id }) => id === key))}
          renderEmptyState={() => <p className={styles.none}>{shell.palette.empty}</p>}
        >
          {(command) => (
            <ListBoxItem id={command.id} textValue={command.label} className={styles.option ?? ''}>
              <Icon name={command.icon} />
              {command.label}
            </ListBoxItem>
          )}
        </ListBox>
      </Autocomplete>
    </Dialog>
  );
}
