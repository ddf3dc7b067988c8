// Pages of hosts, instances, images and jobs: loaded when the first of them is wanted, or the browser has time.
import '../../styles/serial.css';
import { HostPage } from './host-page.ts';
import { HostsPage } from './hosts-page.ts';
import { ImagesPage } from './images-page.ts';
import { InstancePage } from './instance-page.ts';
import { InstancesPage } from './instances-page.ts';
import { JobPage } from './job-page.ts';
import { JobsPage } from './jobs-page.ts';
import type { PageKinds } from './page-kinds.ts';

export const KINDS: PageKinds = {
  hosts: HostsPage,
  host: HostPage,
  instances: InstancesPage,
  instance: InstancePage,
  images: ImagesPage,
  jobs: JobsPage,
  job: JobPage,
};
