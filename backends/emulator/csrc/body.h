/* All inner loops, compiled once for each instruction set: NAME gives each set names of its own. */

#include "delivery_dense.h"
#include "delivery_sparse.h"
#include "neurons.h"
#include "plastic_float.h"
#include "plastic_fixed.h"
#include "plastic_step.h"

static const Kernels NAME(kernels) = {
    .name = KERNELS_NAME,
    .step_double = NAME(step_double),
    .step_whole = NAME(step_whole),
    .step_adapting = NAME(step_adapting),
    .read_double = {NAME(read_double_h), NAME(read_double_i), NAME(read_double_d)},
    .read_whole = {NAME(read_whole_h), NAME(read_whole_i)},
    .dense = {NAME(dense_int8), NAME(dense_uint8), NAME(dense_int16), NAME(dense_float32), NAME(dense_float64)},
    .sparse = {{NAME(sparse_int8_i), NAME(sparse_int8_h)},
               {NAME(sparse_uint8_i), NAME(sparse_uint8_h)},
               {NAME(sparse_int16_i), NAME(sparse_int16_h)},
               {NAME(sparse_float32_d), 0},
               {NAME(sparse_float64_d), 0}},
    .sparse_delta = {{NAME(delta_int8_i), NAME(delta_int8_h)},
                     {NAME(delta_uint8_i), NAME(delta_uint8_h)},
                     {NAME(delta_int16_i), NAME(delta_int16_h)},
                     {NAME(delta_float32_d), 0},
                     {NAME(delta_float64_d), 0}},
    .step_plastic = NAME(plastic_step),
    .settle_plastic = NAME(settle_all),
};
