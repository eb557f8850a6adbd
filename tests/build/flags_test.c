/* Our code is compiled with the flags that .bazelrc and bazel/defs.bzl promise. It compiles, or it
 * does not. */
#ifndef __SSP_STRONG__
#error "no -fstack-protector-strong"
#endif

#ifndef __PIC__
#error "no -fPIC"
#endif

#if defined(NDEBUG) && _FORTIFY_SOURCE + 0 != 2
#error "no -D_FORTIFY_SOURCE=2"
#endif

#if __STDC_VERSION__ != 201112L || defined(__STRICT_ANSI__)
#error "not -std=gnu11"
#endif

int main(void)
{
    return 0;
}
