/* The process that holds a pod's namespaces: reaps orphans, ends when told to, does nothing else. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int number) {
	(void)number;
	_exit(0);
}

static void reap(int number) {
	(void)number;
	while (waitpid(-1, 0, WNOHANG) > 0)
		;
}

int main(void) {
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	signal(SIGCHLD, reap);
	for (;;)
		pause();
}
