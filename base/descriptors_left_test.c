#include "base/descriptors_left.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/test.h"

/* All below the limit but the three standard ones are free, before and after. */
int main(void)
{
    heel_autoerror struct heel_error *error = NULL;
    int first = fcntl(0, F_DUPFD, 3);

    REQUIRE(close(first) == 0 && first == 3);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &(struct rlimit){20, 20}) == 0);
    CHECK_INT(heel_need_descriptors(17, NULL), 0);
    CHECK_INT(heel_need_descriptors(18, &error), -1);
    CHECK_INT(error->code, HEEL_RESOURCE_EXHAUSTED);
    CHECK_STR(error->message,
              "18 more descriptors are needed, and only 17 are left of the 20 that RLIMIT_NOFILE "
              "allows this process (ulimit -n)");
    CHECK_INT(heel_need_descriptors(17, NULL), 0);
    return heel_test_end();
}
