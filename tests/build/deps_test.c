/* Each system library links from its static archive and works. */
#include <grpc/grpc.h>
#include <openssl/evp.h>
#include <protobuf-c/protobuf-c.h>
#include <seccomp.h>
#include <stdio.h>
#include <uv.h>

int main(void)
{
    uv_loop_t loop;
    if (uv_loop_init(&loop) != 0) {
        return 1;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    grpc_init();
    printf("grpc %s, libuv %s, protobuf-c %s, %s\n", grpc_version_string(), uv_version_string(),
           protobuf_c_version(), EVP_get_digestbyname("sha256") != NULL ? "openssl" : "no openssl");
    grpc_shutdown_blocking();
    seccomp_release(filter);
    return uv_loop_close(&loop) == 0 && filter != NULL ? 0 : 1;
}
