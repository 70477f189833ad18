import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { common } from '../strings/common';
import { Button } from '../ui/button';
import styles from './dialog.module.css';

interface DialogProps {
  title: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  children: ReactNode;
  /** Whether the title is read but not shown. */
  quietTitle?: boolean;
}

/** A dialog over the screen; Escape and a press beside it close it. Load it with the screen that needs it, lazily. */
export function Dialog({ title, open, onOpenChange, children, quietTitle = false }: DialogProps) {
  return (
    <ModalOverlay isOpen={open} onOpenChange={onOpenChange} isDismissable className={styles.overlay}>
      <Modal className={styles.modal}>
        <AriaDialog className={styles.dialog} {...(quietTitle && { 'aria-label': title })}>
          {!quietTitle && (
            <div className={styles.head}>
              <Heading slot="title" level={2}>
                {title}
              </Heading>
              <Button kind="quiet" onPress={() => onOpenChange(false)}>
                {common.close}
              </Button>
            </div>
          )}
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
