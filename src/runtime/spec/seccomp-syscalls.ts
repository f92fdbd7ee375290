/**
 * The system calls that a container may make, by purpose. Names that a C library or a libseccomp does not know on some
 * architecture do no harm: they are skipped.
 */
export const allowedSyscalls: readonly string[] = [
  // files and descriptors
  'open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2',
  'lseek _llseek dup dup2 dup3 fcntl fcntl64 ioctl flock fsync fdatasync sync syncfs sync_file_range sync_file_range2',
  'arm_sync_file_range truncate truncate64 ftruncate ftruncate64 fallocate fadvise64 fadvise64_64 arm_fadvise64_64 readahead',
  'sendfile sendfile64 splice tee vmsplice copy_file_range pipe pipe2 cachestat',
  // names and attributes
  'stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 access faccessat faccessat2',
  'link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir mknod mknodat',
  'chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 umask chdir fchdir getcwd',
  'getdents getdents64 readdir name_to_handle_at utime utimes utimensat utimensat_time64 futimesat',
  'setxattr lsetxattr fsetxattr setxattrat getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat',
  'removexattr lremovexattr fremovexattr removexattrat inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark',
  // memory
  'brk mmap mmap2 munmap mremap mprotect msync madvise mincore mlock mlock2 mlockall munlock munlockall remap_file_pages',
  'membarrier memfd_create memfd_secret map_shadow_stack mseal pkey_alloc pkey_free pkey_mprotect process_mrelease',
  // processes and threads
  'fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp getsid setpgid setsid',
  'set_tid_address set_robust_list get_robust_list set_thread_area get_thread_area futex futex_time64 futex_waitv futex_wake',
  'futex_wait futex_requeue rseq prctl arch_prctl set_tls cacheflush breakpoint modify_ldt pidfd_open pidfd_send_signal seccomp',
  'restart_syscall kill tkill tgkill getcpu times getrusage getrlimit setrlimit ugetrlimit prlimit64 riscv_hwprobe',
  'getpriority setpriority sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam',
  'sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval',
  'sched_rr_get_interval_time64 sched_yield ioprio_get ioprio_set landlock_create_ruleset landlock_add_rule landlock_restrict_self',
  'rseq_slice_yield lsm_get_self_attr lsm_set_self_attr lsm_list_modules ptrace process_vm_readv process_vm_writev kcmp',
  // identity
  'getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getgroups getgroups32 getresuid getresuid32 getresgid',
  'getresgid32 setuid setuid32 setgid setgid32 setgroups setgroups32 setreuid setreuid32 setregid setregid32 setresuid',
  'setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 capget capset',
  // signals
  'rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64',
  'rt_tgsigqueueinfo sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend pause alarm',
  // time
  'clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 gettimeofday time',
  'nanosleep adjtimex clock_adjtime clock_adjtime64 getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime',
  'timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64',
  // waiting for many things
  'select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old',
  'epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 io_setup io_destroy io_submit io_cancel io_getevents',
  'io_pgetevents io_pgetevents_time64',
  // sockets (socket itself: see the family rule)
  'socketpair bind listen accept accept4 connect getsockname getpeername getsockopt setsockopt shutdown send sendto sendmsg',
  'sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64',
  // System V and POSIX IPC
  'ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget',
  'mq_open mq_unlink mq_notify mq_getsetattr mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64',
  // the machine
  'uname sysinfo getrandom',
].flatMap((line) => line.split(' '));

/** Calls that only a container with the capability may make; without it they fail with EPERM. */
export const capabilitySyscalls: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_SYS_ADMIN: [
    ...[
      'mount',
      'mount_setattr',
      'move_mount',
      'open_tree',
      'open_tree_attr',
      'fsopen',
      'fsconfig',
      'fsmount',
      'fspick',
      'umount',
      'umount2',
    ],
    ...['setns', 'unshare', 'bpf', 'perf_event_open', 'fanotify_init', 'lookup_dcookie', 'quotactl', 'quotactl_fd'],
    ...['setdomainname', 'sethostname', 'syslog', 'pivot_root', 'statmount', 'listmount'],
  ],
  CAP_SYS_BOOT: ['reboot'],
  CAP_SYS_CHROOT: ['chroot'],
  CAP_SYS_MODULE: ['delete_module', 'init_module', 'finit_module'],
  CAP_SYS_NICE: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: ['pidfd_getfd', 'process_madvise'],
  CAP_SYS_RAWIO: ['iopl', 'ioperm'],
  CAP_SYS_TIME: ['settimeofday', 'stime', 'clock_settime', 'clock_settime64'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
  CAP_SYSLOG: ['syslog'],
  CAP_BPF: ['bpf'],
  CAP_PERFMON: ['perf_event_open'],
};

/** Known calls that no container needs: they answer EPERM, so that programs see a refusal and not an old kernel. */
export const refusedSyscalls: readonly string[] = [
  'add_key request_key keyctl kexec_load kexec_file_load swapon swapoff nfsservctl userfaultfd migrate_pages move_pages',
  'io_uring_setup io_uring_enter io_uring_register vm86 vm86old sysfs uselib ustat _sysctl create_module get_kernel_syms query_module',
].flatMap((line) => line.split(' '));
