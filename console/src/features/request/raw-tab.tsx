import { request as texts } from '../../strings/request';
import { utf8 } from '../../verify/digest';
import { Copy } from '../../ui/copy';
import { byteSize } from '../../ui/format';
import { Visible } from '../../ui/literal';
import type { LoadedRequest } from './load';
import styles from './request.module.css';

const text = texts.raw;

/** The canonical texts themselves. */
export function RawTab({ loaded: { request, verdict, view } }: { loaded: LoadedRequest }) {
  return (
    <div className={styles.tab}>
      <p>{text.lead}</p>
      <Canonical title={text.document} source={request.document.text} digest={request.document.sha256} />
      <Canonical title={text.verdict} source={verdict.text} digest={verdict.sha256} />
      <Canonical title={text.input} source={view.input} digest={verdict.content.input_sha256} />
    </div>
  );
}

function Canonical({ title, source, digest }: { title: string; source: string; digest: string }) {
  return (
    <section>
      <div className={styles.rawHead}>
        <h2>{title}</h2>
        <Copy text={source} label={title} />
      </div>
      <pre className={styles.raw} tabIndex={0} role="region" aria-label={title}>
        <code>
          <Visible text={source} />
        </code>
      </pre>
      <p className={styles.quiet}>
        {byteSize(utf8(source).length)} · <code>{digest}</code>
      </p>
    </section>
  );
}
