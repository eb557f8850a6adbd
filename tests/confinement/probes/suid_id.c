/* Made set-user-ID by the runner: its exit status says whether that made it root. */
#include <unistd.h>

int main(void)
{
    return geteuid() == 0 && getuid() != 0 ? 42 : 1;
}
