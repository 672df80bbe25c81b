/* supervise.h - several processes from one command line: "-L a -- -L b". */
/* SPDX-License-Identifier: MIT */
#ifndef GH_SUPERVISE_H
#define GH_SUPERVISE_H

/* Runs one child of the same program for each group of arguments between "--", with _GOST_ID set to
 * its number, and waits for all. SIGTERM, SIGINT and SIGHUP are passed on. When one child fails the
 * others are ended. Returns the exit status, or -1 when the command line has no "--" between other
 * arguments. Must be called before anything else starts threads. [main] */
int gh_supervise(int argc, char **argv);

#endif
