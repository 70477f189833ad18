import { Link } from '@tanstack/react-router';
import { common } from '../strings/common';
import { Empty } from '../ui/states';
import { Page } from './page';

export function NotFound() {
  return (
    <Page title={common.notFound.title}>
      <Empty title={common.notFound.title}>
        <p>{common.notFound.text}</p>
        <p>
          <Link to="/">{common.notFound.home}</Link>
        </p>
      </Empty>
    </Page>
  );
}
